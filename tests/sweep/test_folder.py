"""The folder of a run: what ``run.json`` tells of detectors given as objects."""

import json

from odbench.sweep.folder import write_run
from odbench.sweep.request import RunRequest


class Mute:
    def __repr__(self):
        raise ValueError


class Long:
    def __repr__(self):
        return "x" * 1_000_000


def test_an_object_that_cannot_be_printed_is_told_by_its_class(tmp_path):
    spec = "file.py:" + "y" * 5_000
    request = RunRequest(
        suites=("synbench",), detectors=[spec, Mute(), Long()], out=tmp_path
    )

    write_run(request, {})

    asked = json.loads((tmp_path / "run.json").read_text())["asked"]["detectors"]
    assert asked[:2] == [spec, "Mute"]
    assert set(asked[2]) == {"x"}
    assert len(asked[2]) < 10_000
