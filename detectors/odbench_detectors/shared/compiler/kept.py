"""Kernels that are kept on disk, loaded without the parts of numba that compile."""

# ruff: noqa: SLF001 - numba has no public way to give a function another cache

from __future__ import annotations

from typing import Any

from numba.core.caching import FunctionCache


class KernelCache(FunctionCache):
    """The compiled code of one kernel, kept on disk.

    Before numba looks for kept code, it imports all that it can compile, for linear
    algebra, dates and dictionaries too: some 220 modules, which takes ten times as long
    as the code of a detector. Only what is not there yet has to be compiled.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the kept code for these types of arguments, None if there is none."""
        with self._guard_against_spurious_io_errors():
            kept = self._load_overload(sig, target_context)
            if kept is not None:
                return kept
        return super().load_overload(sig, target_context)


def use_for(dispatcher: Any) -> None:
    """Give a function that numba's decorator returned a `KernelCache`."""
    dispatcher._cache = KernelCache(dispatcher.py_func)
