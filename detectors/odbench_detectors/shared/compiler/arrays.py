"""LLVM code of arrays' elements, rows and lengths."""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import types
from numba.core import cgutils, ir
from numba.np import arrayobj

from odbench_detectors.shared.compiler.variables import VariableLower

SCALARS = (types.Integer, types.Float, types.Boolean)


class _Parts(NamedTuple):
    """The parts of an array that its elements' places depend on."""

    data: Any
    shape: list[Any]
    strides: list[Any]


class ArrayLower(VariableLower):
    """Read and write elements without a copy of the array's structure.

    numba copies the structure to the stack at each access, and adds the length to an
    index if it is negative, which no kernel's is.

    Attributes
    ----------
    checks_indices : bool
        Whether an index out of range fails, for tests.
    """

    checks_indices = False

    def init(self) -> None:
        """Find the arrays whose elements are used."""
        super().init()
        self._indexed = _indexed(self.func_ir.blocks)
        self._parts: dict[str, _Parts] = {}

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:
        """Assign a value to a variable, and take an array apart."""
        super().storevar(value, name, argidx)
        if name in self._indexed & self._singly_assigned_vars:
            kind = self.typeof(name)
            if isinstance(kind, types.Array):
                self._parts[name] = self._take_apart(value, kind)

    def lower_getitem(
        self, resty: Any, expr: Any, value: Any, index: Any, signature: Any
    ) -> Any:
        """Read an element, or make a view of a row."""
        kind, numbers = self.typeof(value.name), self._numbers(value, index)
        if numbers is None:
            return super().lower_getitem(resty, expr, value, index, signature)
        if len(numbers) == kind.ndim:
            place = self._place(value.name, numbers)
            found = arrayobj.load_item(self.context, self.builder, kind, place)
            return self.context.cast(self.builder, found, kind.dtype, resty)
        if resty.layout == kind.layout:
            return self._view(resty, value.name, numbers)
        return super().lower_getitem(resty, expr, value, index, signature)

    def lower_setitem(self, target: Any, index: Any, value: Any, signature: Any) -> Any:
        """Write an element."""
        kind, numbers = self.typeof(target.name), self._numbers(target, index)
        if numbers is None or len(numbers) < kind.ndim:
            return super().lower_setitem(target, index, value, signature)
        place = self._place(target.name, numbers)
        item = self.cast_var(value, kind.dtype)
        return arrayobj.store_item(self.context, self.builder, kind, item, place)

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """Read a shape, or anything else as numba does."""
        if expr.op == "getattr" and expr.attr == "shape":
            kind = self.typeof(expr.value.name)
            if isinstance(kind, types.Array):
                return self._part(expr.value.name, "shape")
        return super().lower_expr(resty, expr)

    def cast_var(self, var: Any, wanted: Any) -> Any:
        """Return a variable's value as another type."""
        value, kind = self.loadvar(var.name), self.typeof(var.name)
        return self.context.cast(self.builder, value, kind, wanted)

    def length(self, array: Any) -> Any:
        """Return an array's number of rows."""
        return self.builder.extract_value(self._part(array.name, "shape"), 0)

    def _numbers(self, array: Any, index: Any) -> list[Any] | None:
        """Return an index's numbers, or nothing if numba has to look at it."""
        kind, index_kind = self.typeof(array.name), self.typeof(index.name)
        is_tuple = isinstance(index_kind, types.BaseTuple)
        kinds = list(index_kind) if is_tuple else [index_kind]
        if not (self._is_simple(kind) and all(map(_is_number, kinds))):
            return None
        value = self.loadvar(index.name)
        parts = cgutils.unpack_tuple(self.builder, value) if is_tuple else [value]
        return [
            self.context.cast(self.builder, part, number, _widest(number))
            for part, number in zip(parts, kinds, strict=True)
        ]

    def _is_simple(self, kind: Any) -> bool:
        """Say whether an array holds numbers and numba does not check its bounds."""
        return (
            isinstance(kind, types.Array)
            and kind.layout in "CA"
            and isinstance(kind.dtype, SCALARS)
            and not self.context.enable_boundscheck
        )

    def _place(self, name: str, numbers: list[Any]) -> Any:
        """Return the address of an element, or of a row's first one."""
        kind, build = self.typeof(name), self.builder
        parts = self._parts_of(name)
        if self.checks_indices:
            self._check(numbers, parts.shape)
        if kind.layout == "A":
            steps = zip(numbers, parts.strides, strict=False)
            offsets = [build.mul(number, stride) for number, stride in steps]
            return cgutils.pointer_add(build, parts.data, _sum(build, offsets))
        offset = numbers[0]
        for axis in range(1, kind.ndim):
            offset = build.mul(offset, parts.shape[axis])
            if axis < len(numbers):
                offset = build.add(offset, numbers[axis])
        return build.gep(parts.data, [offset])

    def _check(self, numbers: list[Any], shape: list[Any]) -> None:
        for number, length in zip(numbers, shape, strict=False):
            # A negative number is a large one without its sign.
            is_outside = self.builder.icmp_unsigned(">=", number, length)
            with self.builder.if_then(is_outside):
                self.return_exception(IndexError, ("index out of range",), self.loc)

    def _view(self, view_kind: Any, name: str, numbers: list[Any]) -> Any:
        """Return a row of a matrix, or a matrix of a stack of them."""
        place, parts = self._place(name, numbers), self._parts_of(name)
        shape, strides = parts.shape[len(numbers) :], parts.strides[len(numbers) :]
        items = shape[0]
        for length in shape[1:]:
            items = self.builder.mul(items, length)
        fields = {"nitems": items, "data": place}
        for field in ("meminfo", "parent", "itemsize"):
            fields[field] = self._part(name, field)
        for field, values in (("shape", shape), ("strides", strides)):
            fields[field] = cgutils.pack_array(self.builder, values)
        return self._structure(view_kind, fields)

    def _structure(self, kind: Any, fields: dict[str, Any]) -> Any:
        value = cgutils.get_null_value(self.context.get_value_type(kind))
        for field, part in fields.items():
            value = self.builder.insert_value(value, part, self._position(kind, field))
        return value

    def _parts_of(self, name: str) -> _Parts:
        found = self._parts.get(name)
        return found or self._take_apart(self.loadvar(name), self.typeof(name))

    def _take_apart(self, value: Any, kind: Any) -> _Parts:
        extract = self.builder.extract_value
        data = extract(value, self._position(kind, "data"))
        shape, strides = (
            [extract(value, (self._position(kind, field), i)) for i in range(kind.ndim)]
            for field in ("shape", "strides")
        )
        return _Parts(data, shape, strides)

    def _part(self, name: str, field: str) -> Any:
        position = self._position(self.typeof(name), field)
        return self.builder.extract_value(self.loadvar(name), position)

    def _position(self, kind: Any, field: str) -> int:
        return int(self.context.data_model_manager[kind].get_field_position(field))


def _indexed(blocks: dict[int, ir.Block]) -> set[str]:
    """Return the variables whose elements are read or written."""
    found = set()
    for block in blocks.values():
        for statement in block.body:
            if isinstance(statement, ir.SetItem | ir.StaticSetItem):
                found.add(statement.target.name)
            elif isinstance(statement, ir.Assign):
                value = statement.value
                if isinstance(value, ir.Expr) and value.op.endswith("getitem"):
                    found.add(value.value.name)
    return found


def _is_number(kind: Any) -> bool:
    """Say whether an index is a number that is not known to be negative."""
    return isinstance(kind, types.Integer) and getattr(kind, "literal_value", 0) >= 0


def _widest(kind: Any) -> Any:
    return types.intp if kind.signed else types.uintp


def _sum(build: Any, numbers: list[Any]) -> Any:
    total = numbers[0]
    for number in numbers[1:]:
        total = build.add(total, number)
    return total
