"""The detector processes of one worker: odbench's own share one, others have their own.

A detector from elsewhere cannot change the clock, the scores or the code of another,
because no other detector runs in its process.
"""

from __future__ import annotations

from collections.abc import Sequence

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
            All trials on these tables; those in the same process can share work.
        """
        group = _group(trial)
        specs = [one.spec for one in together if _group(one) == group]
        return self._sandbox(group).trial(
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

    def _sandbox(self, group: str) -> Sandbox:
        sandbox = self._open.pop(group, None)
        if sandbox is None:
            while len(self._open) >= _MOST:
                # The first one has not been used for the longest time.
                self._open.pop(next(iter(self._open))).close()
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


def _group(trial: Trial) -> str:
    return HOME if trial.is_home else STRANGER + str(trial.facts["detector"])
