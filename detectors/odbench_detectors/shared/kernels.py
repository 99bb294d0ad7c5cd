"""Compile functions with numba, without the parts that odbench never uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

from odbench_detectors.shared.compiler.pipeline import KernelCompiler, keep_lean

F = TypeVar("F", bound=Callable[..., Any])

# The wrapper left out is the way in for C code. References are not counted (`_nrt`):
# all arrays are made by NumPy and belong to a kernel's caller.
_OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "_nrt": False,
    "pipeline_class": KernelCompiler,
}


def kernel(**options: Any) -> Callable[[F], F]:
    """Return a decorator of functions that Python calls.

    They are kept on disk and release the GIL. A division by zero gives infinity or NaN,
    as in NumPy, because the test for it has to be compiled as well.

    Parameters
    ----------
    **options
        Further options of `numba.njit`, such as ``fastmath``.
    """
    options = _OPTIONS | options
    compile_function = njit(**options)

    def decorate(function: F) -> F:
        compiled: F = compile_function(function)
        if options["cache"]:
            keep_lean(compiled)
        return compiled

    return decorate


def helper(**options: Any) -> Callable[[F], F]:
    """Return a decorator of functions that only kernels and other helpers call.

    They have no way in for Python, which takes up to half of a small function's
    compilation: a call from Python ends the process. They are not kept on disk, because
    kernels contain them.

    Parameters
    ----------
    **options
        As in `kernel`.
    """
    return kernel(no_cpython_wrapper=True, cache=False, **options)
