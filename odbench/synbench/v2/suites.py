"""The suites of version 2: names, each of which determines its data set."""

from __future__ import annotations

from dataclasses import dataclass

from odbench.errors import UnknownDatasetError, UsageError
from odbench.synbench.draw import DIMENSION_BINS
from odbench.synbench.stream import Stream, seeded
from odbench.synbench.suite import ARCHETYPES, Generated
from odbench.synbench.v2.build import Cell, build
from odbench.synbench.v2.difficulty import STRATA

# The root seed of the public sets.
ROOT = 20261128


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A suite's sets: every archetype in every dimension bin in some strata.

    Attributes
    ----------
    name : str
        Of the suite.
    number : int
        First part of every seed.
    per_archetype : int
        Number of sets.
    strata : tuple of int
        Indices into `odbench.synbench.v2.difficulty.STRATA`.
    severity : bool
        Whether anomalies have levels.
    """

    name: str
    number: int
    per_archetype: int
    strata: tuple[int, ...]
    severity: bool = False

    def names(self, subset: str | None = None) -> tuple[str, ...]:
        """Return the names of the data sets, archetype by archetype.

        Raises
        ------
        UsageError
            If a subset is named; those of the description are looked up elsewhere.
        """
        if subset not in (None, self.name):
            msg = f"{self.name} has no subset {subset!r}; use --datasets"
            raise UsageError(msg)
        return tuple(
            f"{archetype}-{i:03d}"
            for archetype in ARCHETYPES
            for i in range(self.per_archetype)
        )

    def cell(self, name: str) -> tuple[Cell, int]:
        """Return a set's place in the design, and its number.

        Raises
        ------
        UnknownDatasetError
            If the suite has no such set.
        """
        archetype, _, number = name.rpartition("-")
        known = len(number) == 3 and number.isdecimal() and number.isascii()
        known = known and archetype in ARCHETYPES
        if not known or int(number) >= self.per_archetype:
            msg = (
                f"{self.name} has no data set {name!r}; wanted an archetype "
                f"({', '.join(ARCHETYPES)}) and a number from 000 to "
                f"{self.per_archetype - 1:03d}, such as {ARCHETYPES[0]}-017"
            )
            raise UnknownDatasetError(msg)
        round_, dimension_bin = divmod(int(number), len(DIMENSION_BINS))
        stratum = self.strata[round_ % len(self.strata)]
        cell = Cell(archetype=archetype, dimension_bin=dimension_bin, stratum=stratum)
        return cell, int(number)

    def make(self, name: str) -> Generated:
        """Generate one data set, bit-identical on every machine.

        Raises
        ------
        UnknownDatasetError
            If the suite has no such set.
        """
        cell, i = self.cell(name)
        place = self.number, ARCHETYPES.index(cell.archetype), i

        def stream(attempt: int) -> Stream:
            return seeded(ROOT, (*place, attempt))

        return build(name, self.name, cell, stream, severity=self.severity)


SYNBENCH_2 = Design(
    name="synbench-2", number=2, per_archetype=160, strata=tuple(range(len(STRATA)))
)
# The sets whose anomalies depart far enough to have levels.
SEVERITY = Design(
    name="synbench-severity",
    number=3,
    per_archetype=60,
    strata=(2, 3, 4),
    severity=True,
)
DESIGNS = {design.name: design for design in (SYNBENCH_2, SEVERITY)}
