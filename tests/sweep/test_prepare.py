"""Preparing a run: data sets are listed once and selected."""

import pytest

from odbench.data import listing
from odbench.errors import UnknownDatasetError, UsageError
from odbench.sweep.prepare import prepare
from odbench.sweep.request import RunRequest


@pytest.fixture
def asked(made_up, tmp_path):
    def ask(*suites, **more):
        return RunRequest(
            suites=suites,
            detectors=["ecod"],
            mirror=str(made_up),
            out=tmp_path / "out",
            **more,
        )

    return ask


@pytest.mark.parametrize("show", [True, False])
def test_a_source_is_listed_once(asked, monkeypatch, capsys, show):
    listed = []

    def list_suite(suite, partition, *, sources):
        listed.append(suite.name)
        return real(suite, partition, sources=sources)

    real = listing.list_suite
    monkeypatch.setattr(listing, "list_suite", list_suite)

    prepared = prepare(asked("oddbench", "oddbench", show_progress=show), pull=False)

    assert listed == ["oddbench"]
    assert prepared.plan.total == 3
    remarks = capsys.readouterr().err.count(
        "are not in this mirror and will be skipped"
    )
    assert remarks == int(show)


def test_data_sets_are_chosen_by_pattern_and_number(asked):
    plan = prepare(asked("oddbench", datasets="*a", limit=2), pull=False).plan

    assert [batch.record.name for batch in plan.pending] == ["Alpha", "Beta"]
    with pytest.raises(UnknownDatasetError, match=r"nosuch\*"):
        prepare(asked("oddbench", datasets="nosuch*"), pull=False)


def test_a_partition_that_does_not_exist_is_refused(asked):
    with pytest.raises(UsageError, match="partition: got 'secret', wanted one of"):
        asked("oddbench", partition="secret")
