"""Detectors are found in all supported places, and broken ones are reported."""

import functools
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import odbench
from odbench.detector import DetectorInfo
from odbench.errors import DetectorError, MissingExtraError, UnknownDetectorError
from odbench.plugins import find
from odbench.plugins.entry_points import Registry
from odbench.plugins.find import (
    core_zoo,
    find_detector,
    find_detectors,
    grid_of,
    list_detectors,
    restore_detector,
)
from odbench.plugins.sources import files_of
from odbench_detectors.pyod import info as pyod_info

EXAMPLE = Path(__file__).parents[2] / "examples" / "odbench-example-plugin"
CORE = {
    "cats", "copod", "dte_np", "ecod", "egmm", "gmm", "hbos", "iforest", "kde",
    "knn", "lof", "mcd", "ocsvm", "pca",
}  # fmt: skip

SOURCE = '''
import numpy as np
from beside import POWER

class Mine:
    """My own detector.

    More about it.
    """
    def __init__(self, k=3, mode="fast", random_state=None):
        self.k, self.mode, self.random_state = k, mode, random_state
    def fit(self, X):
        self.mean = X.mean(axis=0)
        return self
    def decision_function(self, X):
        return (np.abs(X - self.mean) ** POWER).sum(axis=1)

class Needs(Mine):
    def __init__(self, bins, *, width=2.0):
        self.bins, self.width = bins, width

class Fussy(Mine):
    def __init__(self, order=1):
        if order != 1:
            raise ValueError("order must be 1")

class Open(Mine):
    def __init__(self, **kwargs):
        self.kwargs = kwargs

def knn(X_train, X_test, order=2):
    return np.linalg.norm(X_test - X_train.mean(axis=0), ord=order, axis=1)
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(SOURCE)
    (tmp_path / "beside.py").write_text("POWER = 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    sys.modules.pop("beside", None)


def refuse(_):
    raise PermissionError


def scores(configuration):
    rng = np.random.default_rng(0)
    detector = configuration.build(3).fit(rng.normal(size=(50, 3)))
    return detector.decision_function(rng.normal(size=(9, 3)))


def distribution(path, name, version, points):
    """Lay out an installed distribution that only has entry points."""
    info = path / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    )
    lines = "\n".join(f"{k} = {v}" for k, v in points.items())
    (info / "entry_points.txt").write_text(f"[odbench.detectors]\n{lines}\n")


@pytest.fixture
def site(tmp_path, monkeypatch):
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.syspath_prepend(str(place))
    return place


@pytest.mark.parametrize("name", ["odbench", "somebody"])
def test_an_edit_of_an_editable_install_changes_the_version(site, name):
    package = site / "their_detectors"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "shared.py").write_text("ORDER = 1\n")
    (package / "one.py").write_text(
        "from their_detectors.shared import ORDER\n"
        "class One:\n    def fit(self, X): return self\n"
        "    def decision_function(self, X): return ORDER * X[:, 0]\n"
    )
    distribution(site, name, "3", {"one": "their_detectors.one:One"})
    facts = site / f"{name}-3.dist-info" / "direct_url.json"
    info = DetectorInfo(name="one", summary="", build=list, reference="")

    def version():
        (point,) = importlib.metadata.Distribution.at(facts.parent).entry_points
        return Registry({"one": point}, {}, []).version("one", info)

    installed = version()
    facts.write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    before = version()
    (package / "shared.py").write_text("ORDER = -1\n")
    after = version()

    assert installed == ("3" if name == "odbench" else "somebody 3")
    assert before.startswith(f"{installed} + ")
    assert after.startswith(f"{installed} + ")
    assert before != after


class TestInstalled:
    def test_the_core_zoo_is_complete_and_in_its_reference(self):
        zoo = core_zoo()

        assert {c.info.name for c in zoo} == CORE
        assert {c.label for c in zoo} == {"default"}
        assert {c.spec for c in zoo} == CORE

    def test_parameters_that_equal_the_reference_are_no_difference(self):
        assert find_detector("knn:k=5").label == "default"
        assert find_detector("knn:k=5").id == find_detector("knn").id
        assert find_detector("kde:bandwidth=1").id == find_detector("kde").id

    def test_labels_name_what_differs_sorted(self):
        found = find_detector("knn:method=mean,k=20")

        assert found.label == "k=20,method=mean"
        assert found.params == {"k": 20, "method": "mean"}
        assert find_detector("knn[k=20,method=mean]").id == found.id

    def test_grids_contain_the_reference(self):
        grid = grid_of(find_detector("knn"))

        assert len(grid) == 10
        assert "default" in {c.label for c in grid}
        assert len({c.id for c in grid}) == 10

    def test_what_the_user_set_is_not_varied(self):
        labels = [c.label for c in grid_of(find_detector("knn:k=7"))]

        assert labels == ["k=7", "k=7,method=mean"]

    @pytest.mark.long
    @pytest.mark.slow
    def test_every_grid_point_can_be_found_again(self):
        infos, _ = list_detectors()
        for info in infos:
            if info.name in CORE:
                for point in grid_of(find_detector(info.name)):
                    again = find_detector(point.spec)
                    assert (again.id, again.label) == (point.id, point.label)

    def test_versions_are_the_distributions(self):
        # An editable install has a hash of its source, because an edit may follow.
        version = rf"{re.escape(odbench.__version__)}( \+ [0-9a-f]{{12}})?"

        assert re.fullmatch(version, find_detector("knn").version)
        pyod = pytest.importorskip("pyod")
        version += rf" \+ pyod {re.escape(pyod.__version__)}"
        assert re.fullmatch(version, find_detector("pyod.LODA").version)

    def test_looking_loads_nothing_heavy(self):
        code = (
            "import sys\n"
            "from odbench.plugins.find import list_detectors, find_detector\n"
            "list_detectors(); find_detector('pyod.LODA');"
            "print([m for m in ('numba', 'sklearn', 'pandas', 'pyod', 'scipy')"
            " if m in sys.modules])"
        )
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert out.stdout.strip() == "[]"

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("knnn", "did you mean 'knn'"),
            ("KNN", "did you mean 'knn'"),
            ("nonsense", "odbench detectors list"),
            ("pyod", "is a family"),
            ("pyod.Loda", "did you mean 'pyod.LODA'"),
            ("knn.member", "nothing installed"),
        ],
    )
    def test_unknown_names_are_met_with_help(self, spec, message):
        with pytest.raises(UnknownDetectorError, match=message):
            find_detector(spec)

    def test_unknown_parameters_are_met_with_the_known(self):
        with pytest.raises(DetectorError, match=r"'method'\? it has k, me"):
            find_detector("knn:metod=mean")

    def test_a_family_without_its_library_says_what_to_install(self, monkeypatch):
        monkeypatch.setattr(pyod_info, "_modules", dict)
        monkeypatch.setattr(pyod_info.importlib.util, "find_spec", lambda _: None)

        infos, warnings = list_detectors()

        (info,) = (info for info in infos if info.name.startswith("pyod"))
        assert (info.name, warnings) == ("pyod.NAME", [])
        assert info.summary.endswith("pip install 'odbench[pyod]'")
        for spec in ("pyod", "pyod.KNN"):
            with pytest.raises(
                MissingExtraError, match=r"pip install 'odbench\[pyod\]"
            ):
                find_detector(spec)

    def test_a_missing_library_names_the_command(self, monkeypatch):
        monkeypatch.setattr(find, "_is_importable", lambda module: module != "torch")

        with pytest.raises(MissingExtraError, match=r"pip install 'odbench\[deep\]'"):
            find_detector("pyod.DeepSVDD")


class TestPluginsOfOthers:
    def test_no_plugin_takes_a_name_of_ours(self, site):
        distribution(site, "thief", "1.0", {"knn": "os:path"})
        infos, warnings = list_detectors()

        assert any("thief 1.0" in w and "'knn'" in w for w in warnings)
        assert find_detector("knn").info.params["k"] == 5
        assert [i.name for i in infos].count("knn") == 1

    def test_a_name_that_reads_as_a_target_is_told_and_not_listed(self, site):
        target = "odbench_detectors.pca.detector:PCA"
        names = ("we:ird", "mine.py", "we, ird")
        distribution(site, "odd", "1.0", dict.fromkeys(names, target))

        infos, warnings = list_detectors()

        assert {info.name for info in infos}.isdisjoint({"we:ird", "mine.py"})
        for name in ("we:ird", "mine.py"):
            (told,) = [line for line in warnings if repr(name) in line]
            assert "odd 1.0" in told
            assert "without ':'" in told
        assert find_detector('"we, ird":floor=0.5').overrides == {"floor": 0.5}

    def test_two_plugins_of_one_name_are_an_error(self, site):
        distribution(site, "one", "1.0", {"twin": "odbench_detectors.pca.detector:PCA"})
        distribution(site, "two", "1.0", {"twin": "odbench_detectors.pca.detector:PCA"})

        with pytest.raises(DetectorError, match="uninstall one"):
            find_detector("twin")
        infos, warnings = list_detectors()
        # Neither can be used, so that none of them is the one to be ignored.
        (told,) = [line for line in warnings if "twin" in line]
        assert "uninstall one of them" in told
        assert "twin" not in {info.name for info in infos}

    @pytest.mark.parametrize(
        ("value", "what"),
        [
            ("no_such_module:X", "ModuleNotFoundError"),
            ("json:no_such_name", "AttributeError"),
            ("broken_at_import:X", "ZeroDivisionError"),
            ("exits_at_import:X", "SystemExit: 0"),
        ],
    )
    def test_a_broken_plugin_warns_in_a_list_and_fails_in_a_run(
        self, site, value, what
    ):
        (site / "broken_at_import.py").write_text("1 / 0\n")
        (site / "exits_at_import.py").write_text("raise SystemExit(0)\n")
        distribution(site, "shaky", "0.3", {"shaky": value})

        infos, warnings = list_detectors()
        assert "knn" in {i.name for i in infos}
        assert [w for w in warnings if "shaky 0.3" in w and what in w]
        with pytest.raises(DetectorError, match=r"shaky 0\.3") as caught:
            find_detector("shaky")
        assert "\n" not in str(caught.value)
        assert {c.info.name for c in core_zoo()} == CORE

    @pytest.mark.parametrize("raises", ["SystemExit(0)", "ValueError('no list')"])
    def test_a_family_that_raises_is_named(self, site, raises):
        (site / "raising.py").write_text(
            "class Family:\n"
            f"    def members(self): raise {raises}\n"
            f"    def info(self, member): raise {raises}\n"
            "FAMILY = Family()\n"
        )
        distribution(site, "raising", "1", {"shaky": "raising:FAMILY"})

        assert [line for line in list_detectors()[1] if "detector 'shaky'" in line]
        for name in ("shaky", "shaky.One"):
            with pytest.raises(DetectorError, match=f"detector '{name}': cannot be"):
                find_detector(name)

    def test_something_else_at_an_entry_point_is_refused(self, site):
        distribution(site, "odd", "1", {"odd": "math:pi"})

        with pytest.raises(DetectorError, match="wanted a detector's class"):
            find_detector("odd")
        assert any("odd" in w for w in list_detectors()[1])

    def test_missing_requirements_of_a_plugin(self, site):
        (site / "wanting.py").write_text(
            "from odbench.detector import DetectorInfo\n"
            "INFO = DetectorInfo(name='w', summary='', build=dict,"
            " requires=('no_such_lib',))\n"
        )
        distribution(site, "wanting", "1", {"wanting": "wanting:INFO"})

        with pytest.raises(MissingExtraError, match="pip install no_such_lib"):
            find_detector("wanting")
        assert find_detector("wanting", needed=False).info.name == "wanting"

    def test_missing_requirements_of_an_info(self):
        info = DetectorInfo(
            name="w", summary="", build=dict, requires=("no_such_lib", "nor_this")
        )

        with pytest.raises(
            MissingExtraError,
            match="needs no_such_lib and nor_this, which are not installed: pip",
        ):
            find_detector(info)


class TestFilesAndModules:
    def test_a_file(self, folder):
        found = find_detector("mine.py:Mine:k=7,mode=slow")

        assert (found.info.name, found.label) == ("Mine", "k=7,mode=slow")
        assert found.info.summary == "My own detector."
        assert not found.info.deterministic
        assert found.build(11).random_state == 11
        assert scores(found).shape == (9,)

    def test_a_module_of_the_working_directory(self, folder):
        found = find_detector("mine:Mine")

        assert found.spec == f"{folder / 'mine.py'}:Mine"
        assert found.version == find_detector("./mine.py:Mine").version

    def test_an_installed_module(self):
        found = find_detector("sklearn.ensemble:IsolationForest:n_estimators=7")

        assert found.version.startswith("scikit-learn ")
        assert len(found.build(0).fit(np.eye(9)).estimators_) == 7

    def test_a_function(self, folder):
        found = find_detector("mine.py:knn:order=1")

        assert found.info.name == "mine.knn"  # only knn is odbench's
        assert found.label == "order=1"
        assert scores(found).shape == (9,)

    def test_parameters_without_default(self, folder):
        found = find_detector("mine.py:Needs:bins=4,width=3")

        assert found.label == "bins=4,width=3.0"
        assert find_detector(found.spec).id == found.id
        with pytest.raises(
            DetectorError, match=r"'bins' has no default; .* \.\.\.:bins=\.\.\."
        ):
            find_detector("mine.py:Needs")

    def test_open_ended_parameters(self, folder):
        found = find_detector("mine.py:Open:anything=1")

        assert found.build().kwargs == {"anything": 1}
        assert find_detector(found.spec).id == found.id

    def test_an_edit_changes_the_version(self, folder):
        before = find_detector("mine.py:Mine")
        (folder / "mine.py").write_text(SOURCE.replace("k=3", "k=4"))
        after = find_detector("mine.py:Mine")

        assert before.version != after.version
        assert after.params["k"] == 4

    def test_an_edit_of_what_it_imports_changes_the_version(self, folder):
        (folder / "unused.py").write_text("")
        (folder / "deep.py").write_text("SIZE = 1\n")
        (folder / "pair").mkdir()
        (folder / "pair" / "__init__.py").write_text("")
        (folder / "pair" / "inner.py").write_text("import numpy, deep\n")
        (folder / "mine.py").write_text(f"from pair.inner import deep\n{SOURCE}")
        versions = [find_detector("mine.py:Mine").version]
        for name, text in (
            ("deep.py", "SIZE = 2\n"),
            ("pair/__init__.py", "A = 1\n"),
            ("pair/inner.py", "import deep, numpy\n"),
        ):
            (folder / name).write_text(text)
            versions.append(find_detector("mine.py:Mine").version)
        assert len(set(versions)) == 4
        (folder / "unused.py").write_text("A = 1\n")
        assert find_detector("mine.py:Mine").version == versions[-1]

    def test_a_folder_that_cannot_be_listed_has_the_same_files(
        self, tmp_path, monkeypatch
    ):
        # The process of a detector may read a project's files without listing them.
        mine, deep = tmp_path / "mine.py", tmp_path / "deep.py"
        mine.write_text("import numpy, deep, mine\n")
        for wanted in ([mine], [mine, deep]):
            assert files_of(mine) == wanted
            with monkeypatch.context() as patch:
                patch.setattr(Path, "iterdir", refuse)
                assert files_of(mine) == wanted
            deep.write_text("import mine\n")

    def test_a_package_of_the_working_directory(self, folder):
        package = folder / "pack"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "inner.py").write_text("from pack.base import Base as Deep\n")
        (package / "base.py").write_text(
            "class Base:\n def fit(self, X): pass\n"
            " def decision_function(self, X): return X[:, 0]\n"
        )
        try:
            found = find_detector("pack.inner:Deep")
            assert scores(found).shape == (9,)
            assert find_detector(found.spec).id == found.id
        finally:
            for name in ("pack", "pack.inner", "pack.base"):
                sys.modules.pop(name, None)

    def test_another_process_in_another_directory_finds_it(self, folder):
        found = find_detector("mine:Mine:k=9")
        code = (
            "import sys; from odbench.plugins.find import find_detector;"
            "c = find_detector(sys.argv[1]); print(c.id, c.version, c.label)"
        )
        out = subprocess.run(
            [sys.executable, "-c", code, found.spec],
            capture_output=True, text=True, check=True, cwd="/",
        )  # fmt: skip
        assert out.stdout.split() == [found.id, found.version, found.label]

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("mine.py:Mime", "did you mean 'Mine'"),
            ("mine.py", "write mine.py:Mine"),
            ("nowhere.py:X", "no file"),
            ("no_such.module:X", "no module"),
            ("mine.py:np", "wanted a detector's class"),
            ("mine.py:Mine:q=1", "it has k, mode, random_state"),
            ("syntax.py:X", "SyntaxError"),
            ("raises.py:X", "first line"),
            ("exits.py:X", r"exits.py cannot be imported \(SystemExit: 0\)"),
            ("exits:X", r"exits.py cannot be imported \(SystemExit: 0\)"),
        ],
    )
    def test_mistakes_are_one_line(self, folder, spec, message):
        (folder / "syntax.py").write_text("def broken(:\n")
        (folder / "exits.py").write_text("import sys\nsys.exit(0)\n")
        (folder / "raises.py").write_text("raise ValueError('first line\\nsecond')\n")
        with pytest.raises(DetectorError, match=message) as caught:
            find_detector(spec)
        assert "\n" not in str(caught.value)

    def test_a_constructor_that_refuses_is_named(self, folder):
        with pytest.raises(DetectorError, match=r"cannot be built with .*order=2"):
            find_detector("mine.py:Fussy:order=2").build()


# A file of detectors whose parameters are annotated, documented, or neither.
TYPED = """
from typing import TYPE_CHECKING, Any, Literal, Optional, Union
if TYPE_CHECKING:
    from nowhere import Strange


class Base:
    def fit(self, X):
        return self

    def decision_function(self, X):
        return X[:, 0]


class Typed(Base):
    def __init__(
        self, k: int = 3, share: float = 0.1, on: bool = False, name: str = "x",
        mode: Literal["a", "b"] = "a", either: int | str = 5, maybe: int | None = None,
        old: "Optional[int]" = None, any: Any = 1, strange: "Strange" = 1,
        sizes: tuple[int, ...] = (1,),
    ):
        pass


class Future(Base):
    def __init__(self, k: "int" = 3):
        pass


class Untyped(Base):
    \"\"\"Untyped.

    Parameters
    ----------
    k : int, optional (default=3)
    bins : int or string, optional (default=10)
    kind : {"a", 5}
    \"\"\"

    def __init__(self, k=3, bins=10, kind=5, share=0.5, on=True, name="x", none=None):
        pass


class Refusing(Base):
    def __init__(self, k=3):
        if k > 5:
            raise ValueError("k is at most 5")


class Checking(Base):
    def __init__(self, k=3):
        self.k = k

    def check_params(self):
        if self.k > 5:
            raise RuntimeError("k is at most 5")


class Broken(Base):
    def __init__(self):
        raise SystemExit(7)


def scores(X_train, X_test, k: int = 3):
    return X_test[:, 0]
"""


class TestParametersAreCheckedBeforeARun:
    """`find_detectors`, which a run calls, builds what was named once."""

    @pytest.fixture
    def typed(self, tmp_path):
        (tmp_path / "typed.py").write_text(TYPED)
        return lambda spec: find_detectors([f"{tmp_path / 'typed.py'}:{spec}"])

    @pytest.mark.parametrize(
        "spec",
        [
            "Typed",
            "Typed:k=4,share=1,on=true,name=5x,mode=b,either=x,maybe=none,old=3",
            "Typed:either=7,any=x,strange=x,sizes=x",
            "Future:k=9",
            "Untyped:k=4,bins=auto,kind=a,share=2,on=x,name=5,none=x",
            "Untyped:k=none,bins=1.5",
            "Refusing:k=5",
            "Checking:k=5",
            "scores:k=5",
        ],
    )
    def test_a_value_that_may_be_right_is_taken(self, typed, spec):
        assert len(typed(spec)) == 1

    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            ("Typed:k=abc", "k is 'abc', wanted int"),
            ("Typed:k=1.5", "k is 1.5, wanted int"),
            ("Typed:k=true", "k is True, wanted int"),
            ("Typed:k=none", "k is None, wanted int"),
            ("Typed:share=abc", "share is 'abc', wanted float"),
            ("Typed:on=1", "on is 1, wanted bool"),
            ("Typed:name=5", "name is 5, wanted str"),
            ("Typed:mode=c", "mode is 'c', wanted 'a' or 'b'"),
            ("Typed:either=1.5", r"either is 1.5, wanted int \| str"),
            ("Typed:maybe=x", r"maybe is 'x', wanted int \| None"),
            ("Typed:old=x", "old is 'x', wanted "),
            ("Future:k=abc", "k is 'abc', wanted int"),
            ("Untyped:k=abc", "k is 'abc', wanted a number like the default 3"),
            ("Untyped:share=abc", "share is 'abc', wanted a number like the default"),
            ("Refusing:k=6", "ValueError: k is at most 5"),
            ("Refusing:k=abc", "TypeError: "),
            ("Checking:k=6", "RuntimeError: k is at most 5"),
            ("Broken", "SystemExit: 7"),
            ("scores:k=abc", "k is 'abc', wanted int"),
        ],
    )
    def test_an_impossible_value_is_one_line(self, typed, spec, words):
        with pytest.raises(DetectorError, match=words) as caught:
            typed(spec)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        "spec",
        [
            "knn:k=abc", "knn:k=0", "knn:k=1.5", "knn:method=median", "lof:k=0",
            "dte_np:k=-1", "dte_np:continuous=maybe", "ecod:aggregate=foo",
            "ecod:reference=foo", "hbos:n_bins=1", "hbos:alpha=abc", "iforest:trees=0",
            "iforest:samples=abc", "kde:bandwidth=0", "pca:floor=-1", "mcd:support=2",
            "gmm:components=0", "egmm:components=abc", "egmm:components=()",
            "egmm:ridge=-1", "ocsvm:nu=2", "ocsvm:gamma=foo", "ocsvm:gamma=-1",
        ],
    )  # fmt: skip
    def test_the_zoo_refuses_what_it_cannot_run(self, spec):
        with pytest.raises(DetectorError) as caught:
            find_detectors([spec])
        assert "\n" not in str(caught.value)
        assert spec.partition(":")[0] in str(caught.value).lower()

    def test_the_zoo_takes_its_own_grid(self):
        for one in core_zoo():
            for point in grid_of(one):
                point.check()

    def test_scikit_learns_own_checks_are_used(self):
        forest = "sklearn.ensemble:IsolationForest"
        assert find_detectors([f"{forest}:max_samples=0.5,contamination=auto"])
        with pytest.raises(DetectorError, match="'n_estimators' parameter"):
            find_detectors([f"{forest}:n_estimators=abc"])

    def test_pyods_are_checked_by_their_docstrings(self):
        pytest.importorskip("pyod")
        assert find_detectors(["pyod.HBOS:n_bins=auto"])
        with pytest.raises(DetectorError, match="n_neighbors is 'abc', wanted a numb"):
            find_detectors(["pyod.KNN:n_neighbors=abc"])

    def test_an_object_with_numpys_numbers_is_taken(self):
        class Mine(Local):
            def __init__(self, k: int = 3, shape: str = "round"):
                super().__init__(k, shape)

        assert find_detectors([Mine(np.int64(5))])
        with pytest.raises(DetectorError, match="k is 'abc', wanted int"):
            find_detectors([Mine("abc")])

    def test_a_run_refuses_it_before_it_starts(self, tmp_path, capsys):
        from odbench.cli import main

        with pytest.raises(SystemExit) as done:
            main(["run", "-s", "synbench-mini", "-d", "knn:k=abc", "--out",
                  str(tmp_path / "run")])  # fmt: skip
        assert done.value.code == 2
        assert capsys.readouterr().err == (
            "odbench: detector 'knn': cannot run with k=abc (k is 'abc', wanted int)\n"
        )
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("folder_name", ["a,b", "a;b", "k:x=2", 'q"u', "x[1]", "b\\s"])
@pytest.mark.parametrize("form", ['"{}":Mine:k=4', '"{}:Mine":k=4', '"{}:Mine"[k=4]'])
def test_a_quoted_path_is_taken_as_it_is(tmp_path, folder_name, form):
    folder = tmp_path / folder_name
    folder.mkdir()
    (folder / "quoted.py").write_text(
        "class Mine:\n"
        "    def __init__(self, k=3): self.k = k\n"
        "    def fit(self, X): return self\n"
        "    def decision_function(self, X): return X[:, 0] * self.k\n"
    )
    path = str(folder / "quoted.py").replace("\\", "\\\\").replace('"', '\\"')
    text = form.format(path)

    one, knn = find_detectors(f"{text},knn")

    assert (one.params, knn.info.name) == ({"k": 4}, "knn")
    again = restore_detector(one.spec)
    assert (again.id, again.spec, again.version) == (one.id, one.spec, one.version)
    (point,) = grid_of(one)
    assert point.spec == one.spec


class Local:
    def __init__(self, k=3, shape="round"):
        self.k, self.shape = k, shape

    def get_params(self, deep=True):
        return {"k": self.k, "shape": self.shape}

    def fit(self, X):
        return self

    def decision_function(self, X):
        return X[:, 0] * self.k


class TestObjects:
    def test_an_instance(self):
        found = find_detector(Local(k=5))

        assert (found.info.name, found.label) == ("Local", "k=5")
        assert found.params == {"k": 5, "shape": "round"}
        assert found.id == find_detector(Local(k=5)).id != find_detector(Local()).id

    def test_building_does_not_touch_the_users_object(self):
        mine = IsolationForest(n_estimators=5)
        found = find_detector(mine)

        assert not found.info.deterministic
        assert found.build(3).random_state == 3
        assert mine.random_state is None
        assert find_detector(IsolationForest(random_state=1)).info.deterministic

    def test_a_pipeline(self):
        found = find_detector(
            make_pipeline(StandardScaler(), IsolationForest(n_estimators=5))
        )

        assert found.info.name == "StandardScaler+IsolationForest"
        assert found.label == "isolationforest__n_estimators=5"
        assert found.build(4).inner[-1].random_state == 4

    def test_a_pipeline_in_a_file(self, tmp_path):
        file = tmp_path / "pipes.py"
        file.write_text(
            "from sklearn.ensemble import IsolationForest\n"
            "from sklearn.pipeline import make_pipeline\n"
            "from sklearn.preprocessing import StandardScaler\n"
            "pipe = make_pipeline(StandardScaler(), IsolationForest(n_estimators=5))\n"
        )
        found = find_detector(f"{file}:pipe")
        changed = find_detector(f"{file}:pipe:isolationforest__n_estimators=7")

        assert found.info.name == "StandardScaler+IsolationForest"
        assert found.label == "isolationforest__n_estimators=5"
        assert changed.label == "isolationforest__n_estimators=7"
        assert changed.build(1).inner[-1].n_estimators == 7
        assert restore_detector(found.spec).id == found.id != changed.id
        assert scores(found).shape == (9,)

    def test_an_unknown_parameter_of_an_object_in_a_file_is_named(self, tmp_path):
        file = tmp_path / "forest.py"
        file.write_text(
            "from sklearn.ensemble import IsolationForest\nforest = IsolationForest()\n"
        )

        with pytest.raises(DetectorError, match="IsolationForest: cannot set nope"):
            find_detector(f"{file}:forest:nope=1")

    def test_an_info_in_a_file_is_shown_by_its_own_name(self, tmp_path):
        file = tmp_path / "info.py"
        file.write_text(
            "from odbench.detector import DetectorInfo\n"
            "from sklearn.ensemble import IsolationForest\n"
            "def build(): return IsolationForest(n_estimators=5)\n"
            "INFO = DetectorInfo(name='my_forest', summary='', build=build)\n"
            "TAKEN = DetectorInfo(name='knn', summary='', build=build)\n"
        )

        assert find_detector(f"{file}:INFO").info.name == "my_forest"
        assert find_detector(f"{file}:TAKEN").info.name == "info.knn"

    def test_a_class_a_function_an_info(self):
        info = DetectorInfo(name="x", summary="", build=Local, params={"k": 3})

        assert find_detector(Local).info.name == "Local"
        assert find_detector(info).info.name == "x"
        assert scores(find_detector(lambda a, b: b[:, 0])).shape == (9,)

    def test_objects_reach_another_process(self, tmp_path):
        """Classes of a script have no module that another process could import."""
        script = tmp_path / "script.py"
        script.write_text(
            "import json, sys\n"
            "from odbench.plugins.find import find_detector\n"
            "class Here:\n"
            "    def __init__(self, k=1): self.k = k\n"
            "    def fit(self, X): pass\n"
            "    def decision_function(self, X): return X[:, 0] * self.k\n"
            "c = find_detector(Here(k=2))\n"
            "print(json.dumps([c.spec, c.id, c.version, c.label]))\n"
        )
        out = subprocess.run(
            [sys.executable, script], capture_output=True, text=True, check=True
        )
        spec, *facts = json.loads(out.stdout)
        found = restore_detector(spec)

        assert [found.id, found.version, found.label] == facts
        assert scores(found).shape == (9,)

    def test_what_cannot_travel_says_so(self):
        with pytest.raises(DetectorError, match="cannot be sent"):
            find_detector(Local(k=(i for i in range(3))))

    def test_every_point_of_an_objects_grid_reaches_another_process(self):
        info = DetectorInfo(
            name="x", summary="", build=Local, params={"k": 3}, grid={"k": (3, 4, 5)}
        )
        points = [
            restore_detector(point.spec) for point in grid_of(find_detector(info))
        ]

        assert [point.label for point in points] == ["default", "k=4", "k=5"]
        assert [point.build().inner.k for point in points] == [3, 4, 5]


@pytest.mark.parametrize("detector", ["knn:k=7", "pyod.HBOS", Local(k=2)])
def test_another_process_finds_a_configuration_by_its_spec(detector):
    found = find_detector(detector)
    code = (
        "import sys\n"
        "from odbench.plugins.find import restore_detector\n"
        "found = restore_detector(sys.argv[1])\n"
        "print(found.id, found.version, found.label, sep='|')"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, found.spec],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == f"{found.id}|{found.version}|{found.label}"


def test_lists_drop_repeats_and_refuse_namesakes(folder):
    assert len(find_detectors("knn,knn:k=5,lof")) == 2
    (folder / "other.py").write_text(SOURCE.replace("k=3", "k=4"))
    with pytest.raises(DetectorError, match="two different"):
        find_detectors("mine.py:Mine,other.py:Mine")


@pytest.mark.slow
def test_the_example_plugin_installs_for_real(tmp_path):
    """pip builds and installs it; the command line finds, checks and names it."""
    target = tmp_path / "installed"
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
            "--no-build-isolation", "--target", target, EXAMPLE,
        ],
        check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(target)}

    def odbench(*args):
        return subprocess.run(
            [sys.executable, "-c", "from odbench.cli import main; main()", *args],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip

    listed = odbench("detectors", "list", "--format", "json")
    names = {row["detector"] for row in json.loads(listed.stdout)}
    assert {"mad", "farthest", "knn"} <= names
    shown = json.loads(odbench("detectors", "show", "mad", "--format", "json").stdout)
    assert shown["version"] == "odbench-example-plugin 1.2.0"
    assert shown["configurations"] == ["default", "columns=3"]
    for name in ("mad:columns=3", "farthest:order=1"):
        checked = odbench("detectors", "check", name)
        assert checked.returncode == 0, checked.stdout


def shifted(by):
    def score(train, rows):
        return rows[:, 0] + by

    return score


def scaled(train, rows, by):
    return rows[:, 0] * by


class Keeps:
    """Keeps its parameter where nothing finds it."""

    def __init__(self, value):
        self._value = value

    def fit(self, X):
        return self

    def decision_function(self, X):
        return X[:, 0]

    def score(self, train, rows):
        return rows[:, 0]


class Kernel(BaseEstimator):
    def __init__(self, kernel=None):
        self.kernel = kernel

    def fit(self, X):
        return self

    def decision_function(self, X):
        return X[:, 0]


class Inner:
    def __init__(self, width):
        self.width = width


ALIKE = {
    "lambdas": lambda k: (
        (lambda a, b: b.sum(1)) if k == 1 else (lambda a, b: -b.sum(1))
    ),
    "closures": shifted,
    "partials": lambda k: functools.partial(scaled, by=k),
    "methods": lambda k: Keeps(k).score,
    "attributes": Keeps,
    "lambda parameters": lambda k: Kernel(kernel=lambda x: x * k),
    "object parameters": lambda k: Kernel(kernel=Inner(k)),
    "lists of objects": lambda k: Kernel(kernel=[1, {"a": Inner(k)}]),
}


@pytest.mark.parametrize("make", ALIKE.values(), ids=ALIKE)
def test_objects_that_look_alike_are_not_taken_for_each_other(make):
    first, again, other = (find_detector(make(k)) for k in (1, 1, 5))

    assert (first.version, first.id) == (again.version, again.id)
    assert (first.version, first.id) != (other.version, other.id)
    with pytest.raises(DetectorError, match="names two different detectors"):
        find_detectors([make(1), make(5)])


def test_objects_that_hold_each_other_are_looked_into_once():
    first, second = Inner(1), Inner(2)
    first.others, second.others = [second] * 50, [first] * 50

    one = find_detector(Kernel(kernel=first))
    second.width = 3

    assert find_detector(Kernel(kernel=first)).version != one.version


def test_what_an_object_holds_is_the_same_in_each_process():
    code = (
        "from odbench.plugins.find import find_detector\n"
        "f = lambda a, b: b[:, 0] * ('x' in {'x', 'y', 'z', 'w'})\n"
        "print(find_detector(f).version)"
    )
    versions = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "1234"
    }

    assert len(versions) == 1


def test_what_an_object_holds_changes_no_version_of_plain_detectors():
    plain = find_detector(IsolationForest(n_estimators=7))
    pipeline = find_detector(make_pipeline(StandardScaler(), IsolationForest()))

    assert re.fullmatch(r"scikit-learn [\d.]+", plain.version)
    assert re.fullmatch(r"scikit-learn [\d.]+", pipeline.version)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ("grid={'k': 5}", "grid['k'] is 5; wanted a tuple, such as (1, 3, 10)"),
        ("grid={'k': 'abc'}", "grid['k'] is 'abc'; wanted a tuple"),
        ("grid=[1]", "grid is [1]; wanted a mapping"),
        ("requires='abc'", "requires is 'abc'; wanted a tuple of modules' names"),
        ("trained_on='a/*'", "trained_on is 'a/*'; wanted a tuple of globs"),
    ],
)
def test_a_malformed_info_is_one_line(tmp_path, facts, words):
    (tmp_path / "odd_info.py").write_text(
        "from odbench.detector import DetectorInfo\n"
        f"ODD = DetectorInfo(name='odd', summary='', build=dict, {facts})\n"
    )
    with pytest.raises(DetectorError) as caught:
        find_detector(f"{tmp_path / 'odd_info.py'}:ODD")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_malformed_info_that_is_an_object_is_refused_too():
    info = DetectorInfo(name="odd", summary="", build=dict, trained_on="a/*")

    with pytest.raises(DetectorError, match="'odd': its info's trained_on is 'a/"):
        find_detector(info)
