"""Every detector of PyOD by name, such as ``pyod.LODA``, importing only what is used.

PyOD's scores are higher for anomalies, so no sign changes. Its detectors are found by
parsing its source files without running them, because many of its modules import
optional libraries.
"""

from __future__ import annotations

import ast
import difflib
import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from odbench.detector import DetectorInfo
from odbench.errors import MissingExtraError, UnknownDetectorError

# Modules for time series, graphs, audio, text and images, and base classes; then
# detectors that need labels, and ensembles whose base detectors must be given.
_NOT_FOR_TABLES = re.compile(r"(ts|pyg|audio|embedding|base|sklearn|gaal_base)(_|$)")
_NOT_ALONE = {"CD", "XGBOD", "DevNet", "LSCP"}
# PyOD's parameters that do not affect scores.
_INERT = {"contamination", "n_jobs", "verbose", "behaviour", "novelty", "random_state"}
# Detectors for which a row's score depends on the rows scored with it.
_TRANSDUCTIVE = {"ECOD", "COPOD", "ROD", "SOS", "LOCI", "SOD", "COF"}
# Detectors that draw from the global generators and take no seed.
UNSEEDED = {"AE1SVM", "ALAD", "AnoGAN", "MO_GAAL", "SO_GAAL"}
_CLASS = re.compile(r"^class (\w+)\((?:BaseDetector|BaseDeepLearningDetector)\)", re.M)
# Modules that come with odbench or with PyOD itself.
_ALWAYS_THERE = {
    *("joblib", "matplotlib", "numba", "numpy", "packaging", "pandas", "pyod"),
    *("scipy", "sklearn", "tqdm"),
}
# Optional modules that a file imports itself, perhaps late or with an error of its own.
_OPTIONAL = re.compile(
    r"^\s*(?:import|from) (torch|suod|xgboost|combo|numba|hdbscan|statsmodels)\b", re.M
)


class PyodFamily:
    """PyOD's detectors, found by parsing its source files."""

    def members(self) -> list[str]:
        """Return the names of the classes that score tables; empty without PyOD."""
        return sorted(_modules())

    def info(self, member: str) -> DetectorInfo:
        """Return the facts that PyOD's source states about one detector.

        Raises
        ------
        UnknownDetectorError
            If PyOD has no such detector for tables.
        MissingExtraError
            If PyOD is not installed.
        """
        if importlib.util.find_spec("pyod") is None:
            msg = (
                f"detector 'pyod.{member}': needs pyod, which is not installed: "
                f"pip install 'odbench[pyod]'"
            )
            raise MissingExtraError(msg)
        modules = _modules()
        if member not in modules:
            names = {name.lower(): name for name in modules}
            close = difflib.get_close_matches(member.lower(), names, n=1)
            hint = f"; did you mean 'pyod.{names[close[0]]}'?" if close else ""
            msg = f"detector 'pyod.{member}': PyOD has no such detector{hint}"
            raise UnknownDetectorError(msg)
        return _read(member, modules[member])


class PyodBuilder:
    """Builds one PyOD detector; imports PyOD when called."""

    def __init__(self, module: str, member: str) -> None:
        self.module, self.member = module, member

    def __call__(self, **params: Any) -> Any:
        """Return the unfitted PyOD detector."""
        from odbench_detectors.pyod.detector import build_member

        return build_member(self.module, self.member, params)


@cache
def _modules() -> dict[str, Path]:
    """Map each detector's class to the file that defines it."""
    spec = importlib.util.find_spec("pyod")
    found: dict[str, Path] = {}
    for place in (spec.submodule_search_locations or []) if spec else []:
        for file in sorted(Path(place, "models").glob("*.py")):
            if _NOT_FOR_TABLES.match(file.stem):
                continue
            for name in _CLASS.findall(file.read_text("utf-8")):
                if name not in _NOT_ALONE:
                    found.setdefault(name, file)
    return found


@cache
def _read(member: str, file: Path) -> DetectorInfo:
    text = file.read_text("utf-8")
    node = next(
        n
        for n in ast.parse(text).body
        if isinstance(n, ast.ClassDef) and n.name == member
    )
    defaults = _defaults(node)
    needed = _imports(file) | set(_OPTIONAL.findall(text))
    if "base_dl" in text or "gaal_base" in text:
        needed |= {"torch"}
    # No extra of odbench brings these; pip is told their own names.
    extra = {"torch": "deep", "suod": "", "combo": ""}
    return DetectorInfo(
        name=f"pyod.{member}",
        summary=_summary(node),
        build=PyodBuilder(file.stem, member),
        reference=f"https://pyod.readthedocs.io/en/latest/pyod.models.html#{file.stem}",
        params={k: v for k, v in defaults.items() if k not in _INERT},
        deterministic="random_state" not in defaults and member not in UNSEEDED,
        inductive=member not in _TRANSDUCTIVE,
        requires=("pyod", *sorted(needed)),
        extra=next((extra[m] for m in extra if m in needed), "pyod"),
    )


@cache
def _imports(file: Path) -> frozenset[str]:
    """Return the optional modules that a file needs, also through PyOD's own files."""
    found = set[str]()
    for node in _certain(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            found |= _imports_of_own(file, node)
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return frozenset(found - _ALWAYS_THERE - sys.stdlib_module_names)


def _imports_of_own(file: Path, node: ast.ImportFrom) -> frozenset[str]:
    folder = file.parents[node.level - 1]
    source = folder.joinpath(*(node.module or "").split(".")).with_suffix(".py")
    is_other = source.is_file() and source != file
    return _imports(source) if is_other else frozenset()


def _certain(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the statements of a module that run without fail when it is imported."""
    waiting: list[ast.AST] = [*tree.body]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, (ast.If, ast.ClassDef, ast.With)):
            waiting += ast.iter_child_nodes(node)


def _defaults(node: ast.ClassDef) -> dict[str, Any]:
    """Return the constructor's parameters; None if a default is not a literal."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            names = [a.arg for a in item.args.args[1:]]
            values = [_literal(v) for v in item.args.defaults]
            return dict(zip(names[len(names) - len(values) :], values, strict=True))
    return {}


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _summary(node: ast.ClassDef) -> str:
    """Return the first line of the class's docstring in PyOD."""
    lines = (ast.get_docstring(node) or "").strip().splitlines()
    title = lines[0].strip().rstrip(".:") if lines else node.name
    return f"PyOD: {title[:72]}"


PYOD = PyodFamily()
