"""The detector processes of one worker: odbench's own share one, others have their own.

A detector from elsewhere cannot change the clock, the scores or the code of another,
because no other detector runs in its process.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from odbench.sweep.context import RunContext
from odbench.sweep.handover import Handover
from odbench.sweep.hidden import local_paths
from odbench.sweep.outcome import Outcome
from odbench.sweep.places import HOME, STRANGER, kernels_of, place_of
from odbench.sweep.sandbox import Confinement, Sandbox
from odbench.sweep.trials import Trial
from odbench.sweep.warm_up import Sight

# Each process of an idle detector takes about 100 MiB.
_MOST = 4


class Sandboxes:
    """Start and keep the processes of a worker's detectors.

    Parameters
    ----------
    context : RunContext
        The settings of the run.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._open: dict[str, Sandbox] = {}
        self._hidden = (*local_paths(context.out), *context.hidden)

    def trial(
        self, trial: Trial, tables: Handover, together: Sequence[Trial]
    ) -> Outcome:
        """Run a trial in the process of its detector.

        Parameters
        ----------
        trial : Trial
            The trial.
        tables : Handover
            The tables of its data set.
        together : sequence of Trial
            All trials on these tables, in their order; those in the same process can
            share work.
        """
        group = _group(trial)
        specs = [one.spec for one in together if _group(one) == group]
        return self._sandbox(group, _following(trial, together)).trial(
            trial.spec, trial.random_state, tables, specs=list(dict.fromkeys(specs))
        )

    def layers(self, group: str) -> tuple[str, ...]:
        """Start the process of a group, and return the layers of its sandbox.

        Raises
        ------
        StoreError
            If no process can start.
        """
        sandbox = self._sandbox(group)
        sandbox.start()
        return sandbox.layers

    def warm_up(self, group: str, spec: str, sight: Sight) -> bool:
        """Compile a configuration's kernels; see `Sandbox.warm_up`."""
        return self._sandbox(group).warm_up(spec, sight)

    def close(self) -> None:
        """End all processes."""
        for sandbox in self._open.values():
            sandbox.close()
        self._open.clear()

    def _sandbox(self, group: str, following: Iterable[str] = ()) -> Sandbox:
        sandbox = self._open.pop(group, None)
        if sandbox is None:
            if len(self._open) >= _MOST:
                self._open.pop(self._last_needed(following)).close()
            context = self._context
            sandbox = Sandbox(
                context.limits,
                Confinement(
                    hidden=self._hidden,
                    place=place_of(group),
                    kernels=kernels_of(group),
                    sys_path=context.sys_path,
                    ports=context.ports,
                    is_required=context.require_sandbox,
                ),
                is_trusted=group == HOME,
                mark=context.token,
            )
        self._open[group] = sandbox
        return sandbox

    def _last_needed(self, following: Iterable[str]) -> str:
        """Return the open group whose next trial is the furthest away.

        To end the one that was used the longest time ago would start every process
        anew on every data set, because detectors take turns.
        """
        turns: dict[str, int] = {}
        for turn, group in enumerate(following):
            turns.setdefault(group, turn)
        # Of several that are not needed, the first was used the longest time ago.
        return max(self._open, key=lambda group: turns.get(group, math.inf))


def _following(trial: Trial, together: Sequence[Trial]) -> Iterator[str]:
    """Yield the groups of the trials after one; the next data set has the same."""
    keys = [one.key for one in together]
    turn = keys.index(trial.key) + 1 if trial.key in keys else 0
    yield from map(_group, together[turn:])
    yield from map(_group, together[:turn])


def _group(trial: Trial) -> str:
    return HOME if trial.is_home else STRANGER + str(trial.facts["detector"])
