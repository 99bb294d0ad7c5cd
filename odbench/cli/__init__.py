"""The command line: parses, calls, prints.

Exit codes: 0 done, 1 the run itself broke, 2 the call or the input is wrong, 3 done
but some trials failed or a check found faults, 130 interrupted.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import click

from odbench import __version__
from odbench.cli import streams
from odbench.errors import DiskFullError, OdbenchError, RunBrokenError
from odbench.files import is_disk_fault, limit_cure, lost_working_folder
from odbench.text import printable
from odbench.threads import MORE_PROCESSES, is_lack_of_processes, startable

# Command -> help in one line. Each is in the module of its name, which is imported
# when the command is called.
VERBS = {
    "score": "Score the rows of a table of your own: which are odd, and why.",
    "recommend": "Recommend a detector for a table, from published results.",
    "suites": "List the suites, or make one of your own tables.",
    "datasets": "List, show, pull, verify and audit data sets; rank columns.",
    "detectors": "List, show, check and create detectors.",
    "run": "Run detectors on data sets and print a leaderboard.",
    "runs": "List runs, show one, and remove results from it.",
    "cache": "Show, list and clean the cache of data sets.",
    "leaderboard": "Build, show, compare, export and publish leaderboards.",
    "submission": "Pack, check and evaluate submissions.",
    "completion": "Print the completion script of a shell.",
    "mcp": "Serve tools for agents (Model Context Protocol) in one folder.",
    "synbench": "Draw a private partition of the synthetic suite.",
}


_OTHER_PATH = "name another path, or check this one's rights and room"
_OTHER_OUTPUT = "make room for the output, or send it elsewhere"
_NO_THREAD = f"threads or processes: no more may be started here; {MORE_PROCESSES}"
# A loader's words where no memory is left.
_NO_MEMORY = re.compile("failed to map|cannot allocate", re.IGNORECASE)


# Click's words for a text that is no number.
_NO_NUMBER = re.compile("('[^']*') is not a valid (float|integer)( range)?")


class _LazyGroup(click.Group):
    """A group that imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"odbench.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in VERBS:
            import difflib

            # Click suggests only commands that are imported.
            near = difflib.get_close_matches(args[0], VERBS, 1)
            if near:
                ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        # `--help` and `--version` print here.
        with _reader_may_leave():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _reader_may_leave():
            return super().invoke(ctx)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", prog_name="odbench")
def cli() -> None:
    """Benchmark outlier detectors on thousands of tables.

    \b
    odbench run --suite synbench-mini            no download, under a minute
    odbench run --suite oddbench --detectors knn,lof
    odbench run --suite oddbench --detectors my_detector.py:MyDetector
    """  # noqa: D301 - click's own mark for "do not wrap"


@contextlib.contextmanager
def _reader_may_leave() -> Iterator[None]:
    """End well if the reader closes the pipe (``odbench ... | head``).

    Click would report that as a failure.
    """
    try:
        yield
    except BrokenPipeError:
        streams.discard(sys.stdout, sys.stderr)
        raise click.exceptions.Exit(0) from None


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with one of the codes above."""
    streams.open_closed()
    streams.outlive_reader()
    streams.write_any_text()
    with _terminable():
        code = _run(arguments)
        _end_at_once_beside_strangers(code)
    sys.exit(code)


def _end_at_once_beside_strangers(code: int) -> None:
    """End now if a detector's module started a thread that may never end.

    Python would wait for it, and the command would look as if it hung.
    """
    contained = sys.modules.get("odbench.plugins.contained")
    if contained is None or not contained.has_left_threads():
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public name for it
    os._exit(code)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """End a command as Ctrl-C does on SIGTERM, and where its terminal closes.

    A command under ``nohup`` ignores the signal of a terminal that closes.
    """
    here = threading.current_thread() is threading.main_thread()
    numbers = [
        number
        for name in ("SIGTERM", "SIGHUP")
        if here and (number := getattr(signal, name, None)) is not None
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _run(arguments: list[str] | None) -> int:
    try:
        outcome: Any = cli.main(arguments, prog_name="odbench", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        # OpenBLAS interrupts its own process if it can start no thread.
        if not startable(1):
            return _complain(_NO_THREAD, 2)
        click.echo("odbench: interrupted", err=True)
        return 130
    except (click.ClickException, OdbenchError) as error:
        broken = isinstance(error, (RunBrokenError, DiskFullError))
        return _complain(_spell(error), 1 if broken else 2)
    except (OSError, MemoryError, ImportError, RuntimeError) as error:
        told = _of_the_machine(error)
        if told is None:
            raise
        return _complain(*told)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    return outcome if isinstance(outcome, int) else 0


def _of_the_machine(error: Exception) -> tuple[str, int] | None:
    """Return a line and an exit code for what the machine lacks, None for a bug."""
    if is_lack_of_processes(error):
        return _NO_THREAD, 2
    if isinstance(error, OSError):
        return _of_a_file(error)
    # Without room for a library's code, the loader raises an ImportError.
    if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
        return (
            f"not enough memory; free some, raise `{_memory_limit()}`, or work on less "
            f"at once",
            1,
        )
    return None


def _of_a_file(error: OSError) -> tuple[str, int] | None:
    """Say that a path cannot be used, because of the disk or because of the call."""
    full, cure = is_disk_fault(error), limit_cure(error)
    if lost_working_folder(error):
        return "working folder: was deleted; change to another one with `cd`", 2
    if error.filename is not None:
        said = f"{str(error.filename)!r}: {error.strerror}; {cure or _OTHER_PATH}"
        return said, 1 if full or cure else 2
    if not full and not cure:
        return None
    # Python would try once more to write what is left, and fail again.
    streams.discard(sys.stdout)
    verb = "write" if full else "go"
    return f"cannot {verb} on: {error.strerror}; {cure or _OTHER_OUTPUT}", 1


def _memory_limit() -> str:
    """Return the shell's command for the limit on memory that holds here."""
    with contextlib.suppress(ImportError):
        import resource

        data = resource.getrlimit(resource.RLIMIT_DATA)[0]
        space = resource.getrlimit(resource.RLIMIT_AS)[0]
        if data != resource.RLIM_INFINITY and space == resource.RLIM_INFINITY:
            return "ulimit -d"
    return "ulimit -v"


def _complain(message: str, code: int = 2) -> int:
    click.echo(f"odbench: {printable(' '.join(message.split()))}", err=True)
    return code


def _wanted_number(found: re.Match[str]) -> str:
    kind = "a whole number" if found[2].startswith("integer") else "a number"
    return f"got {found[1]}, wanted {kind}"


def _spell(error: click.ClickException | OdbenchError) -> str:
    if isinstance(error, OdbenchError):
        return str(error)
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "odbench"
    said = _NO_NUMBER.sub(_wanted_number, error.format_message().rstrip("."))
    stop = "" if said.endswith("?") else "."
    return f"{said}{stop} See `{path} --help`."
