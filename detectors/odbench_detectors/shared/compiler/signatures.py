"""Signatures of operations, each looked for once per process."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from numba import types
from numba.core.typing.templates import signature

_PLAIN = (types.Number, types.Boolean, types.Array, types.BaseTuple)
_found: dict[Any, Any] = {}


class Signatures:
    """numba's typing context, which remembers the signatures that it found.

    numba tries seven overloads, with literal types and without, each time that it looks
    for the type of an element of an array.

    Parameters
    ----------
    context : numba.core.typing.BaseContext
        numba's own.
    flags : str
        The options of the compilation, which overloads are compiled with.
    """

    def __init__(self, context: Any, flags: str) -> None:
        self._context, self._flags = context, flags

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(
        self, function: Any, args: tuple[Any, ...], kws: dict[str, Any]
    ) -> Any:
        """Return the signature of a call, or nothing if there is none."""

        def look() -> Any:
            return self._context.resolve_function_type(function, args, kws)

        if kws or not isinstance(function, types.Function):
            return look()
        if function.typing_key in {builtins.min, builtins.max} and len(args) > 1:
            return self._of_extreme(args) or look()
        return self._once(function, args, look)

    def resolve_setitem(self, target: Any, index: Any, value: Any) -> Any:
        """Return the signature of a write to an array, or nothing if there is none."""
        args = (target, index, value)
        return self._once("setitem", args, lambda: self._context.resolve_setitem(*args))

    def _of_extreme(self, args: tuple[Any, ...]) -> Any:
        """Return the signature of `min` or `max` of numbers, which nothing compiles."""
        kinds = [types.unliteral(arg) for arg in args]
        if not all(isinstance(kind, types.Number) for kind in kinds):
            return None
        kind = self._context.unify_types(*kinds)
        return None if kind is None else signature(kind, *kinds)

    def _once(
        self, function: Any, args: tuple[Any, ...], look: Callable[[], Any]
    ) -> Any:
        if not all(isinstance(arg, _PLAIN) for arg in args):
            return look()
        key = self._flags, function, tuple(args)
        if key not in _found:
            answer = look()
            if answer is None:
                return None
            _found[key] = answer
        return _found[key]
