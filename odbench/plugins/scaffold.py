"""Create a detector from a template: a file, or a package that pip installs."""

from __future__ import annotations

import contextlib
import keyword
import re
from importlib import resources
from pathlib import Path

from odbench.errors import UsageError


def write_detector(name: str, folder: Path, *, package: bool) -> list[Path]:
    """Write a working detector with its test.

    Parameters
    ----------
    name : str
        The detector's name: lower case, digits and underscores.
    folder : Path
        Target folder; created if needed.
    package : bool
        Create a package with an entry point, instead of a file and its test.

    Returns
    -------
    list of Path
        The written files, the detector's own first.

    Raises
    ------
    UsageError
        If the name is invalid, or one of the files exists.
    OSError
        If a file cannot be written; none is left then.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        msg = (
            f"detector {name!r}: wanted a name of lower-case letters, digits and "
            f"underscores that starts with a letter: my_detector"
        )
        raise UsageError(msg)
    files = _package(name, folder) if package else _lone_file(name, folder)
    for path in files:
        if path.exists():
            msg = f"{str(path)!r} is there already; name another folder with --into"
            raise UsageError(msg)
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            for other in files:
                with contextlib.suppress(OSError):
                    other.unlink()
            raise OSError(error.errno, error.strerror, str(path)) from error
    return list(files)


def _lone_file(name: str, folder: Path) -> dict[Path, str]:
    words = _words(name, module=name)
    return {
        folder / f"{name}.py": _fill("detector.py", words),
        folder / f"test_{name}.py": _fill("test_file.py", words),
    }


def _package(name: str, folder: Path) -> dict[Path, str]:
    module = f"odbench_{name}"
    words = _words(name, module=f"{module}.detector")
    root = folder / module.replace("_", "-")
    return {
        root / module / "detector.py": _fill("detector.py", words),
        root / module / "__init__.py": f'"""The {name} detector for odbench."""\n',
        root / "pyproject.toml": _fill("pyproject.toml", words),
        root / "README.md": _fill("README.md", words),
        root / "tests" / f"test_{name}.py": _fill("test_package.py", words),
    }


def _words(name: str, *, module: str) -> dict[str, str]:
    return {
        "@NAME@": name,
        "@CLASS@": "".join(part.capitalize() for part in name.split("_")),
        "@MODULE@": module,
        "@PACKAGE@": f"odbench_{name}",
        "@DISTRIBUTION@": f"odbench-{name}".replace("_", "-"),
    }


def _fill(template: str, words: dict[str, str]) -> str:
    text = (
        resources.files("odbench.plugins") / "templates" / f"{template}.in"
    ).read_text("utf-8")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
