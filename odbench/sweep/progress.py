"""Show the progress of a sweep: a bar, or a line now and then without a terminal."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from odbench.data.bar import columns, notebook_bar
from odbench.sweep.journal import FOLDER, START, parse_line
from odbench.sweep.keys import Keys

if TYPE_CHECKING:
    from odbench.sweep.time_left import TimeLeft

_LOOK_SECONDS = 0.25
_LINE_SECONDS = 15.0
_BAR = "{percentage:3.0f}%|{bar:12}| {n_fmt}/{total_fmt} [{elapsed}{desc}"


class _First(NamedTuple):
    """The first look that found a result: two clocks, trials and their seconds."""

    at: float
    clock: float
    trials: int
    work: float


class Progress:
    """Follow the journals of a run and show the progress.

    Parameters
    ----------
    folder : Path
        The run's folder.
    total : int
        Number of trials to run.
    show : bool
        Whether to write anything to stderr.
    time_left : TimeLeft, optional
        Seconds of the trials to come. The longest trials run first, so that counting
        trials would give too long a time left. By default all trials count the same.
    jobs : int
        Number of trials that run at once.

    Attributes
    ----------
    counts : Counter
        Finished trials by status.
    running : dict of str to (str, float)
        Key -> title and start (seconds since the epoch) of trials that were begun
        and not finished.
    """

    def __init__(
        self,
        folder: Path,
        total: int,
        *,
        show: bool,
        time_left: TimeLeft | None = None,
        jobs: int = 1,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.running: dict[str, tuple[str, float]] = {}
        self._folder = folder / FOLDER
        self._total = total
        self._show = show
        self._read: dict[Path, int] = {}
        self._tried: set[str] = set()
        self._done = Keys()
        self._guard = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._printed_at = time.monotonic()
        self._time_left, self._jobs = time_left, jobs
        self._first: _First | None = None
        self._bar: Any = None

    def __enter__(self) -> Progress:
        """Begin to follow; results already in the journals are not counted."""
        for path in self._folder.glob("*.jsonl"):
            self._read[path] = path.stat().st_size
        if self._show:
            self._bar = _new_bar(self._total)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Read the last lines and close the bar."""
        self._end.set()
        self._thread.join()
        self.look()
        if self._bar is not None:
            self._bar.close()

    def look(self) -> None:
        """Read the new lines of the journals."""
        with self._guard:
            for path in self._folder.glob("*.jsonl"):
                self._look_at(path)
        self._show_state()

    def in_flight(self) -> dict[str, str]:
        """Return key -> title of the trials that were begun and not finished."""
        self.look()
        with self._guard:
            return {key: title for key, (title, _) in self.running.items()}

    def forget(self) -> None:
        """Forget the running trials, because their workers are gone."""
        with self._guard:
            self.running.clear()

    def _follow(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            self.look()

    def _look_at(self, path: Path) -> None:
        start = self._read.get(path, 0)
        try:
            if path.stat().st_size == start:
                return
            with path.open("rb") as journal:
                journal.seek(start)
                data = journal.read()
        except OSError:
            return
        # An incomplete last line is read next time.
        whole = data[: data.rfind(b"\n") + 1]
        self._read[path] = start + len(whole)
        entries = map(parse_line, whole.splitlines(keepends=True))
        self._take([entry for entry in entries if entry is not None])

    def _take(self, entries: list[dict[str, Any]]) -> None:
        results, waited = [], []
        for entry in entries:
            if START in entry:
                self.running[entry["of"]] = (entry[START], entry["at"])
            elif "key" in entry:
                title, began = self.running.pop(entry["key"], ("", time.time()))
                self._tried.add(_configuration(title))
                results.append(entry)
                waited.append(time.time() - began)
        # A cluster may run a batch twice, but each trial counts once.
        is_new = self._done.add(row["key"] for row in results).tolist()
        pairs = zip(results, waited, strict=True)
        for row, seconds in itertools.compress(pairs, is_new):
            self.counts[row["status"]] += 1
            if self._time_left is not None:
                self._time_left.finish(row, seconds)

    def _show_state(self) -> None:
        done = self.counts.total()
        now = time.monotonic()
        if done and self._first is None:
            work = self._time_left.done if self._time_left is not None else 0.0
            self._first = _First(now, time.time(), done, work)
        if self._bar is not None:
            self._bar.n = done
            text = f"{self._pace(now, done)}]{self._state()}"
            self._bar.set_description_str(text, refresh=True)
        elif self._show and now - self._printed_at >= _LINE_SECONDS:
            self._printed_at = now
            print(  # noqa: T201 - this replaces the bar
                f"odbench: {done}/{self._total} trials{self._pace(now, done)}"
                f"{self._state()}",
                file=sys.stderr,
                flush=True,
            )

    def _pace(self, now: float, done: int) -> str:
        """Return trials per second and the time left, measured from the first result.

        The time before it went into loading and compiling, which happen once. No time
        left is shown if running trials have used up all that was expected: how slow
        they are is then unknown.
        """
        if self._first is None or done == self._first.trials:
            return ""
        spent = max(now - self._first.at, _LOOK_SECONDS)
        new = done - self._first.trials
        if self._time_left is None:
            left = spent / new * (self._total - done)
        else:
            left = self._left(self._first, spent)
        pace = f", {new / spent:.1f}/s"
        is_overdue = done < self._total and left <= 0.0
        return pace if is_overdue else f"{pace}, {_clock(left)} left"

    def _left(self, first: _First, spent: float) -> float:
        """Return the seconds left, from the trials that are finished and that run."""
        assert self._time_left is not None
        clock = time.time()
        with self._guard:
            begun = [at for _, at in self.running.values()]
        running = sum(max(0.0, clock - at) for at in begun)
        since_first = sum(max(0.0, clock - max(at, first.clock)) for at in begun)
        return self._time_left.wall_seconds(
            spent,
            work=self._time_left.done - first.work + since_first,
            running=running,
            jobs=self._jobs,
        )

    def _state(self) -> str:
        bad = [
            f"{count} {status}"
            for status, count in sorted(self.counts.items())
            if status != "ok"
        ]
        state = "".join(f", {text}" for text in bad)
        with self._guard:
            slowest = min(self.running.values(), key=lambda item: item[1], default=None)
        if slowest is not None and time.time() - slowest[1] > 1:
            title, began = slowest
            state += f" | {title} {_clock(time.time() - began)}"
            if _configuration(title) not in self._tried:
                state += ", first trial: may be compiling"
        return state


def _new_bar(total: int) -> Any:
    """Return the bar of a notebook or a terminal; None if stderr is neither."""
    if in_notebook := notebook_bar():
        # A notebook draws the bar itself, as wide as there is room.
        return in_notebook(
            total=total, bar_format=_BAR.replace("{bar:12}", "{bar}"), desc="]"
        )
    if not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    width = columns()
    return tqdm(
        total=total,
        file=sys.stderr,
        ncols=width,
        dynamic_ncols=width is None,
        bar_format=_BAR,
        desc="]",
    )


def _configuration(title: str) -> str:
    return title.partition(" on ")[0]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
