"""Passes that take the place of numba's: types, and LLVM code."""

from __future__ import annotations

from typing import Any

from numba._dynfunc import make_function
from numba.core.compiler import _LowerResult
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering, NopythonTypeInference

from odbench_detectors.shared.compiler.library import HelperLibrary, KernelLibrary
from odbench_detectors.shared.compiler.lowering import KernelLower
from odbench_detectors.shared.compiler.signatures import Signatures


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelTypes(NopythonTypeInference):
    """numba's inference of types, which looks for each signature once."""

    _name = "kernel_types"

    def run_pass(self, state: Any) -> bool:
        """Infer the types of a function."""
        usual = state.typingctx
        state.typingctx = Signatures(usual, state.flags.summary())
        try:
            return bool(super().run_pass(state))
        finally:
            state.typingctx = usual


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(NativeLowering):
    """Make LLVM code of a function, and machine code if it is not a helper."""

    _name = "kernel_lowering"
    lowering_class = KernelLower

    def run_pass(self, state: Any) -> bool:
        """Compile a function whose types are known."""
        name, codegen = state.func_id.func_qualname, state.targetctx.codegen()
        if state.flags.no_cpython_wrapper:
            state.library = HelperLibrary(codegen, name)
            return self._without_machine_code(state)
        state.library = KernelLibrary(codegen, name)
        # Kernels are kept on disk.
        state.library.enable_object_caching()
        return bool(super().run_pass(state))

    def _without_machine_code(self, state: Any) -> bool:
        state.flags.no_compile = True
        done = bool(super().run_pass(state))
        fndesc, call_helper, _, env = state.cr
        # numba finds a compiled function by its entry for Python, so that helpers need
        # one each, though nothing may call it.
        entry = make_function(
            fndesc.lookup_module(), fndesc.qualname, "", 0, env, (state.library,)
        )
        state.targetctx.insert_user_function(entry, fndesc, [state.library])
        state.cr = _LowerResult(fndesc, call_helper, cfunc=entry, env=env)
        return done
