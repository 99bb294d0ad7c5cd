"""LLVM code of a kernel's operations and calls."""

from __future__ import annotations

import builtins
import operator
from typing import Any

from numba import types
from numba.cpython.builtins import do_minmax

from odbench_detectors.shared.compiler.arrays import SCALARS
from odbench_detectors.shared.compiler.loops import LoopLower

_BETTER = {builtins.max: operator.gt, builtins.min: operator.lt}
# Powers with a constant exponent have code of their own in numba.
_POWERS = {operator.pow, operator.ipow}


class KernelLower(LoopLower):
    """Make LLVM code of operations on numbers without a search for their types."""

    def lower_binop(self, resty: Any, expr: Any, op: Any) -> Any:
        """Apply an operator to two numbers, or to anything else as numba does."""
        operands = (expr.lhs, expr.rhs)
        if op in _POWERS or not all(self._is_any(SCALARS, var) for var in operands):
            return super().lower_binop(resty, expr, op)
        signature = self.fndesc.calltypes[expr]
        code = self._code_of(op, signature)
        values = map(self.cast_var, operands, signature.args)
        found = code(self.builder, list(values))
        return self.context.cast(self.builder, found, signature.return_type, resty)

    def lower_call(self, resty: Any, expr: Any) -> Any:
        """Call a function, or put in the code of a small one."""
        key = getattr(self.typeof(expr.func.name), "typing_key", None)
        signature = self.fndesc.calltypes[expr]
        if expr.kws or expr.vararg:
            return super().lower_call(resty, expr)
        if key in _BETTER and all(self._is_any(types.Number, var) for var in expr.args):
            kinds = [types.unliteral(self.typeof(var.name)) for var in expr.args]
            values = [self.loadvar(var.name) for var in expr.args]
            found = do_minmax(self.context, self.builder, kinds, values, _BETTER[key])
        elif key is builtins.len and isinstance(signature.args[0], types.Array):
            found = self.length(expr.args[0])
        elif key is builtins.range:
            bounds = list(map(self.cast_var, expr.args, signature.args))
            return self.range_of(signature.return_type, bounds)
        else:
            return super().lower_call(resty, expr)
        return self.context.cast(self.builder, found, signature.return_type, resty)

    def _code_of(self, op: Any, signature: Any) -> Any:
        typing = self.context.typing_context
        function = typing.resolve_value_type(op)
        try:
            return self.context.get_function(function, signature)
        except KeyError:
            # Types were found for `+=`, which has the code of `+`.
            found = function.get_call_type(typing, signature.args, {})
            return self.context.get_function(function, found)

    def _is_any(self, kinds: Any, var: Any) -> bool:
        return isinstance(self.typeof(var.name), kinds)
