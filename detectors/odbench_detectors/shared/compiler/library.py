"""Libraries of LLVM code, optimised once per kernel."""

# ruff: noqa: SLF001 - numba keeps what its libraries are made of to itself

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary


class KernelLibrary(JITCodeLibrary):
    """LLVM code of a kernel and of the helpers that it calls.

    numba runs LLVM's passes once per function and twice per module, because it removes
    counts of references in between. Kernels have none, so once per module is enough.
    """

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        builder = self._codegen._pass_builder()
        builder.getModulePassManager().run(self._final_module, builder)


class HelperLibrary(KernelLibrary):
    """LLVM code of a helper and of those that it calls, and no machine code.

    numba makes machine code of each function and then copies the function's LLVM code
    to each caller, where it is made once more.
    """

    def finalize(self) -> None:
        """Copy the code of the helpers that this one calls."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True
