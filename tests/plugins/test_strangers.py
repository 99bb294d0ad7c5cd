"""Classes of strangers that raise where nobody expects it: one line, by its name."""

import numpy as np
import pytest

from odbench.cli import main
from odbench.errors import DetectorError
from odbench.plugins.find import find_detector, find_detectors

SOURCE = """
import numpy as np


class Base:
    def fit(self, X):
        return self

    def decision_function(self, X):
        return np.asarray(X).sum(axis=1)


class Unspeakable:
    def __repr__(self):
        raise ValueError("no text")


class Mute(Exception):
    def __str__(self):
        raise ValueError("no text")


class Loud(type):
    def __getattr__(cls, name):
        raise RuntimeError(f"nobody asked for {name}")


class HasNoRepr(Base):
    def __init__(self, k=Unspeakable()):
        self.k = k


class RaisesAnyAttribute(Base, metaclass=Loud):
    pass


class RaisesNoException(Base):
    def __init__(self):
        raise BaseException("not even an Exception")


class RaisesWithoutText(Base):
    def __init__(self):
        raise Mute


class HasNumberAsText(Base):
    __doc__ = 5


class HasNoParameters(Base):
    def get_params(self, deep=True):
        raise RuntimeError("no parameters")
"""
REFUSED = {
    "RaisesAnyAttribute": "RuntimeError: nobody asked for",
    "RaisesNoException": "BaseException: not even an Exception",
    "RaisesWithoutText": "Mute",
    "HasNumberAsText": "AttributeError",
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "strange.py"
    path.write_text(SOURCE)
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_a_class_that_raises_is_refused_by_its_name(file, tmp_path, capsys, name):
    out = str(tmp_path / "out")
    words = ["run", "-s", "synbench-mini", "--dry-run", "-d", f"{file}:{name}"]

    with pytest.raises(SystemExit) as done:
        main([*words, "--out", out])

    assert done.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("odbench: detector ")
    assert name in line
    assert REFUSED[name] in line


@pytest.mark.parametrize("name", ["HasNoRepr", "HasNoParameters"])
def test_a_class_without_words_can_be_used(file, name):
    (found,) = find_detectors([f"{file}:{name}"])

    assert found.info.name == name


def test_an_object_that_raises_is_refused_by_its_class():
    class Mine:
        def get_params(self, deep=True):
            msg = "no parameters"
            raise RuntimeError(msg)

        def fit(self, X):
            return self

        def decision_function(self, X):
            return X.sum(axis=1)

    with pytest.raises(DetectorError, match="detector 'Mine': cannot be used"):
        find_detectors([Mine()])


def test_an_array_as_a_parameter_is_no_part_of_each_row_of_the_results():
    class Mine:
        def __init__(self, w):
            self.w = w

        def get_params(self, deep=True):
            return {"w": self.w}

        def fit(self, X):
            return self

        def decision_function(self, X):
            return X.sum(axis=1)

    found = [find_detector(Mine(np.full(5_000, x))) for x in (1.0, 2.0)]

    assert all(len(one.label) < 30 for one in found)
    assert all(one.label is one.label and one.id is one.id for one in found)
    assert len({one.label for one in found}) == len({one.id for one in found}) == 2
