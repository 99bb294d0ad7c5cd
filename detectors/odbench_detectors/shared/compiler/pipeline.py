"""The list of passes that compile a kernel."""

from __future__ import annotations

import contextlib
from typing import Any

import numba
from numba.core.compiler import CompilerBase, DefaultPassBuilder, Flags
from numba.core.compiler_machinery import PassManager
from numba.core.dispatcher import Dispatcher

# Passes for closures, context managers, overloads to inline, expressions of whole
# arrays, loops in parallel and objects of Python, none of which are in a kernel. A
# pass that a version of numba does not have is not missed.
_UNUSED = {
    "WithLifting",
    "InlineClosureLikes",
    "MakeFunctionToJitFunction",
    "RewriteDynamicRaises",
    "FindLiterallyCalls",
    "LiteralUnroll",
    "LiteralPropagationSubPipelinePass",
    "InlineOverloads",
    "NopythonRewrites",
    "NoPythonSupportedFeatureValidation",
    "DumpParforDiagnostics",
}

# Our own passes and cache build on parts of numba that are not in its manual. With
# other versions, numba's compile and load kernels, which takes longer.
_KNOWN_VERSIONS = {(0, 68)}


class _QuickFlags(Flags):
    """Flags of a compilation that are quick to compare.

    numba compares them some thirty times for each element of an array that a kernel
    reads, to find its type, and reads all the options each time.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _QuickFlags):
            return self is other or bool(self._values == other._values)
        return bool(super().__eq__(other))

    def __hash__(self) -> int:
        return hash(frozenset(self._values))


class KernelCompiler(CompilerBase):
    """The compiler of `kernels.kernel`, for numba's option ``pipeline_class``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Neither the options' class nor the list of passes is in numba's manual: a
        # version that has others compiles as usual, which takes longer.
        with contextlib.suppress(AttributeError, TypeError):
            self.state.flags = _QuickFlags(self.state.flags)

    def define_pipelines(self) -> list[PassManager]:
        """Return numba's passes, or our own in place of some, without unused ones."""
        usual = DefaultPassBuilder.define_nopython_pipeline(self.state)
        if not hasattr(usual, "passes"):
            return [usual]
        own = _own_passes()
        lean = PassManager("kernel")
        lean.passes.extend(
            (own.get(step[0].__name__, step[0]), *step[1:])
            for step in usual.passes
            if step[0].__name__ not in _UNUSED
        )
        lean.finalize()
        return [lean]


def keep_lean(dispatcher: Any) -> None:
    """Let a kernel's kept code be loaded without the parts of numba that compile.

    Parameters
    ----------
    dispatcher : numba.core.dispatcher.Dispatcher
        As numba's decorator returns it; changed in place if numba's version is known.
        Where numba is told not to compile, it is the function itself, and stays so.
    """
    if not _is_known() or not isinstance(dispatcher, Dispatcher):
        return
    # Another version may lack what this module imports.
    from odbench_detectors.shared.compiler import kept

    kept.use_for(dispatcher)


def _is_known() -> bool:
    return numba.version_info[:2] in _KNOWN_VERSIONS


def _own_passes() -> dict[str, Any]:
    """Return passes of our own by the names of those that they replace."""
    if not _is_known():
        return {}
    # Another version may lack what this module imports.
    from odbench_detectors.shared.compiler import passes

    return {
        "NopythonTypeInference": passes.KernelTypes,
        "NativeLowering": passes.KernelLowering,
    }
