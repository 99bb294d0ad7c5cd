"""LLVM code of loops over ranges."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils

from odbench_detectors.shared.compiler.arrays import ArrayLower


class LoopLower(ArrayLower):
    """Keep a range and the state of its loop as values.

    numba copies both to the stack and back, and tests the step even if it is one.
    """

    def init(self) -> None:
        """Know no range yet."""
        super().init()
        # Each value is kept with its parts, so that its id is not given again.
        self._ranges: dict[int, tuple[Any, list[Any]]] = {}

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """Begin a loop or take its next step, or anything else as numba does."""
        if expr.op in {"pair_first", "pair_second"}:
            pair = self.loadvar(expr.value.name)
            return self.builder.extract_value(pair, int(expr.op == "pair_second"))
        if expr.op == "getiter":
            begun = self._begin(resty, self.loadvar(expr.value.name))
            return begun or super().lower_expr(resty, expr)
        if expr.op == "iternext":
            kind = self.typeof(expr.value.name)
            if isinstance(kind, types.RangeIteratorType):
                return self._next(resty, self.loadvar(expr.value.name))
        return super().lower_expr(resty, expr)

    def range_of(self, kind: Any, bounds: list[Any]) -> Any:
        """Return a range."""
        number = bounds[0].type
        start = [] if len(bounds) > 1 else [number(0)]
        step = [] if len(bounds) > 2 else [number(1)]
        return self._remember(kind, [*start, *bounds, *step])

    def _begin(self, kind: Any, value: Any) -> Any:
        """Begin a loop over a range with steps of one, or return nothing."""
        _, bounds = self._ranges.get(id(value), (None, None))
        if bounds is None or getattr(bounds[2], "constant", None) != 1:
            return None
        (start, stop, step), build = bounds, self.builder
        length = build.sub(stop, start)
        is_positive = build.icmp_signed(">", length, length.type(0))
        length = build.select(is_positive, length, length.type(0))
        number, left = (cgutils.alloca_once(build, start.type) for _ in range(2))
        build.store(start, number)
        build.store(length, left)
        return self._remember(kind, [number, stop, step, left])

    def _next(self, pair_kind: Any, state: Any) -> Any:
        """Return a loop's next number and whether there is one."""
        build = self.builder
        _, parts = self._ranges.get(id(state), (None, None))
        number_at, _, step, left_at = parts or cgutils.unpack_tuple(build, state)
        number, left = build.load(number_at), build.load(left_at)
        build.store(build.add(number, step), number_at)
        build.store(build.sub(left, left.type(1), flags=["nsw"]), left_at)
        is_valid = build.icmp_signed(">", left, left.type(0))
        return self._pack(pair_kind, [number, is_valid])

    def _remember(self, kind: Any, parts: list[Any]) -> Any:
        value = self._pack(kind, parts)
        self._ranges[id(value)] = value, parts
        return value

    def _pack(self, kind: Any, parts: list[Any]) -> Any:
        value = cgutils.get_null_value(self.context.get_value_type(kind))
        for position, part in enumerate(parts):
            value = self.builder.insert_value(value, part, position)
        return value
