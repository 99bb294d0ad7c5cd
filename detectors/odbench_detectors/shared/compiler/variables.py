"""LLVM code of variables, with few places on the stack."""

from __future__ import annotations

from typing import Any

from numba.core import ir
from numba.core.analysis import compute_cfg_from_blocks, compute_use_defs
from numba.core.lowering import Lower


class VariableLower(Lower):
    """Keep variables that are assigned once as values.

    numba puts each variable that several blocks use on the stack, and writes zeros
    there at its end.
    """

    def _find_singly_assigned_variable(self) -> None:
        self._blk_local_varmap: dict[str, Any] = {}
        blocks = self.func_ir.blocks
        home = _only_assignments(blocks)
        dominators = compute_cfg_from_blocks(blocks).dominators()
        for offset, names in compute_use_defs(blocks).usemap.items():
            for name in home.keys() & names:
                # Blocks are compiled in the order of their offsets.
                if home[name] >= offset or home[name] not in dominators[offset]:
                    del home[name]
        self._singly_assigned_vars = set(home)

    def delvar(self, name: str) -> None:
        """Leave a variable as it is."""

    def storevar(
        self,
        value: Any,
        name: str,
        argidx: int | None = None,  # noqa: ARG002 - for debuggers
    ) -> None:
        """Assign a value to a variable."""
        if name in self._singly_assigned_vars:
            self._blk_local_varmap[name] = value
        else:
            self._alloca_var(name, self.typeof(name))
            self.builder.store(value, self.getvar(name))


def _only_assignments(blocks: dict[int, ir.Block]) -> dict[str, int]:
    """Return the block of the assignment to each variable that has only one."""
    home: dict[str, int] = {}
    repeated = set()
    for offset, block in blocks.items():
        for statement in block.find_insts(ir.Assign):
            name = statement.target.name
            if name in home:
                repeated.add(name)
            home[name] = offset
    return {name: offset for name, offset in home.items() if name not in repeated}
