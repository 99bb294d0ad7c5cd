"""Reading the hub with the real client."""

import dataclasses
import hashlib
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import odbench.data.catalog
from odbench.data.catalog import Sources, ensure, list_source, open_source, select
from odbench.data.dataset import BEYOND_DUPLICATES, DatasetRecord
from odbench.data.listing import list_suite
from odbench.data.store import Store, StoredDataset
from odbench.data.subsets import resolve
from odbench.errors import ArchiveError, HashMismatchError, TransportError

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def repository(hub, archive):
    files = {f"public/set{i}.npz": archive() for i in range(5)}
    files["private/secret.npz"] = archive(without=("test_labels", "anomaly_count"))
    files["README.md"] = b"# tiny"
    made = hub.Repository()
    made.commit(files)
    hub.repositories["someone/tiny"] = made
    return made


def pull(**options):
    records = select("tiny", **options)
    pulled = ensure(records, progress=False, jobs=2)
    return {record.name: outcome for record, outcome in pulled}


def test_a_listing_of_several_pages_is_followed_to_its_end(hub, repository, tiny_suite):
    hub.page_size = 2
    listing = open_source(tiny_suite[0]).listing("public")
    assert sorted(listing) == [f"set{i}" for i in range(5)]
    assert sum("cursor=" in path for path in hub.paths()) == 2
    for file in listing.values():
        data = repository.commits[-1][file.path]
        assert file.sha256 == hashlib.sha256(data).hexdigest()
        assert file.size == len(data)


def test_main_is_resolved_once_and_everything_is_read_at_that_commit(
    hub, repository, tiny_suite, archive
):
    first = repository.sha()
    source = open_source(tiny_suite[0])
    records = select("tiny", source=source)
    repository.commit({"public/set0.npz": archive(), "public/late.npz": archive()})
    from odbench.data.pull import fetch

    for record in records:
        stored = fetch(record, source, Store.default(), tick=lambda _: None)
        assert stored.record.file_sha256 == record.file_sha256
    assert sum("/revision/" in path for path in hub.paths()) == 1
    assert all(
        first in path for path in hub.paths() if "/resolve/" in path or "/tree/" in path
    )
    meta = Store.default().provenance(records[0])
    assert meta["commit"] == first


def test_a_run_resolves_and_lists_the_hub_once(hub, repository, tiny_suite):
    sources = Sources()
    found = list_suite(tiny_suite[0], "public", sources=sources)
    outcomes = dict(ensure(found.records, sources=sources, progress=False))
    assert all(isinstance(o, StoredDataset) for o in outcomes.values())
    assert sum("/revision/" in path for path in hub.paths()) == 1
    assert sum("/tree/" in path for path in hub.paths()) == 1


def test_what_is_stored_is_what_the_archive_holds(repository, tiny_suite):
    outcomes = pull()
    assert len(outcomes) == 5
    for name, stored in outcomes.items():
        assert isinstance(stored, StoredDataset)
        import io

        with np.load(io.BytesIO(repository.commits[-1][f"public/{name}.npz"])) as z:
            train, test, columns = stored.features()
            np.testing.assert_array_equal(train, z["train"])
            np.testing.assert_array_equal(test, z["test"])
            np.testing.assert_array_equal(stored.labels(), z["test_labels"])
            assert columns == tuple(z["feature_names"])
    assert not list((Store.default().root / "downloads").rglob("*.npz"))


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(
    hub, repository, tiny_suite, monkeypatch
):
    repository.private = True
    monkeypatch.setenv("HF_TOKEN", hub.token)
    outcomes = pull()
    assert all(isinstance(o, StoredDataset) for o in outcomes.values())
    for _, path, headers in hub.requests:
        assert ("authorization" in headers) == (not path.startswith("/cdn/")), path


def test_a_repository_that_needs_a_token_says_so(hub, repository, tiny_suite):
    repository.private = True
    with pytest.raises(TransportError, match="HF_TOKEN"):
        open_source(tiny_suite[0]).listing("public")


def test_server_errors_and_rate_limits_pass(hub, repository, tiny_suite):
    hub.faults = {
        "/revision/main": [503, "cut"],
        "/public": [500, "cut"],
        "set0.npz": [("wait", 0), 502, "ok", 500, "ok", 500],
        "set1.npz": ["ok", ("wait", 0)],
    }
    start = time.monotonic()
    outcomes = pull()
    assert all(isinstance(o, StoredDataset) for o in outcomes.values()), outcomes
    # One second more than the requested time is waited.
    assert time.monotonic() - start > 1


def test_a_connection_cut_in_mid_file_is_resumed(hub, repository, tiny_suite):
    hub.faults = {"/public/set2.npz": ["ok", "cut", "ok", "ok"]}
    outcomes = pull(pattern="set2")
    assert isinstance(outcomes["set2"], StoredDataset)
    ranges = [h["range"] for _, p, h in hub.requests if "range" in h and "cdn" in p]
    size = len(repository.commits[-1]["public/set2.npz"])
    assert ranges == [f"bytes={size // 2}-"]


def test_a_wrong_byte_is_noticed_and_fetched_again(hub, repository, tiny_suite):
    hub.faults = {"/public/set3.npz": ["ok", "flip"]}
    outcomes = pull(pattern="set3")
    assert isinstance(outcomes["set3"], StoredDataset)


def test_a_byte_that_stays_wrong_is_an_error_that_names_the_file(
    hub, repository, tiny_suite
):
    hub.faults = {"/public/set3.npz": ["ok", "flip", "ok", "flip"]}
    outcomes = pull()
    failed = outcomes.pop("set3")
    assert isinstance(failed, (HashMismatchError, ArchiveError))
    assert "set3" in str(failed)
    assert "\n" not in str(failed)
    assert all(isinstance(o, StoredDataset) for o in outcomes.values())
    assert Store.default().find(select("tiny", pattern="set3")[0]) is None


def test_a_wrong_byte_without_a_listed_digest_meets_the_manifests_hash(
    hub, repository, tiny_suite
):
    first = pull(pattern="set4")["set4"]
    tiny_suite[1]["tiny"] = (first.record,)
    first.features_path.unlink()
    repository.lfs = False
    repository.commit({"public/set4.npz": repository.commits[-1]["public/set3.npz"]})
    outcome = pull(pattern="set4")["set4"]
    assert isinstance(outcome, HashMismatchError)
    assert first.record.content_sha256[:16] in str(outcome)


def test_no_more_is_fetched_than_the_listing_says(hub, repository, tiny_suite):
    # The delivered file is 64 MiB longer than listed.
    hub.faults = {"/public/set3.npz": ["ok", "grown", "ok", "grown"]}
    outcome = pull(pattern="set3")["set3"]
    assert isinstance(outcome, TransportError)
    assert "more than the" in str(outcome)
    assert hub.delivered < 32 << 20
    assert sum("/cdn/" in path for path in hub.paths("GET")) == 1


def test_a_file_that_cannot_be_the_manifests_is_not_fetched(
    hub, repository, tiny_suite
):
    first = pull(pattern="set4")["set4"]
    tiny_suite[1]["tiny"] = (first.record,)
    first.features_path.unlink()
    repository.commit({"public/set4.npz": bytes((1 << 25) + 100_000)})
    hub.requests.clear()
    outcome = pull(pattern="set4")["set4"]
    assert isinstance(outcome, TransportError)
    assert "at most" in str(outcome)
    assert not [path for path in hub.paths() if "/cdn/" in path]


@pytest.mark.parametrize(
    "path",
    ["public/../../x.npz", "/etc/x.npz", "public/...npz", "public/..npz",
     "public/a\\b.npz", "other/x.npz", "public/deep/x.npz", "public/a\nb.npz"],
)  # fmt: skip
def test_a_listing_cannot_lead_out_of_its_folder(hub, repository, tiny_suite, path):
    hub.listed = [path]
    with pytest.raises(TransportError, match=r"wanted files NAME.npz of 'public'"):
        open_source(tiny_suite[0]).listing("public")


def test_a_manifest_row_that_is_not_listed_is_reported_and_skipped(
    repository, tiny_suite
):
    gone = DatasetRecord(name="gone", suite="tiny", path="public/gone.npz")
    tiny_suite[1]["tiny"] = (gone,)
    found = list_source(tiny_suite[0], open_source(tiny_suite[0]))
    assert [r.name for r in found.missing] == ["gone"]
    assert [r.name for r in found.added] == [f"set{i}" for i in range(5)]
    assert found.records == found.added
    ((_, outcome),) = ensure([gone], progress=False)
    assert isinstance(outcome, TransportError)
    assert "not listed" in str(outcome)


def test_a_listed_file_without_a_row_is_measured(repository, tiny_suite):
    record = pull(pattern="set0")["set0"].record
    assert (record.n_train, record.n_test, record.n_columns) == (40, 30, 3)
    assert record.n_anomalies == 5
    assert record.domain == "Science"
    assert len(record.content_sha256) == 64
    assert record.family == "github:someone/tables"
    assert record.label_conflict == 0


def test_facts_that_the_manifest_lacks_are_measured_when_pulled(repository, tiny_suite):
    measured = pull(pattern="set0")["set0"].record
    Store.default().place("features", measured).unlink()
    nothing = dict.fromkeys(BEYOND_DUPLICATES)
    row = dataclasses.replace(measured, family="by hand", **nothing)
    tiny_suite[1]["tiny"] = (row,)
    again = pull(pattern="set0")["set0"].record
    assert again == dataclasses.replace(measured, family="by hand")
    assert Store.default().find(row).record == again
    assert again.n_distinct_test == 30

    known = dataclasses.replace(row, ceiling_ap=0.25)
    assert Store.default().find(known).record.ceiling_ap == 0.25
    assert Store.default().find(known).record.trivial_share == measured.trivial_share


def test_a_private_folder_without_labels_works(repository, tiny_suite):
    outcome = pull(partition="private")["secret"]
    assert isinstance(outcome, StoredDataset)
    assert outcome.labels_path is None
    assert outcome.labels() is None
    assert outcome.record.n_anomalies is None
    assert outcome.record.label_conflict is None
    assert "few_anomalies" not in outcome.record.tags


def test_a_folder_that_is_not_there_is_empty(hub, repository, tiny_suite):
    repository.commits[-1].pop("private/secret.npz")
    assert open_source(tiny_suite[0]).listing("private") == {}


def test_an_unknown_repository_is_one_line(hub, tiny_suite):
    with pytest.raises(TransportError, match=r"someone/tiny.*HF_TOKEN"):
        open_source(tiny_suite[0]).listing("public")


def test_when_the_hub_is_gone_the_last_listing_counts(
    hub, repository, tiny_suite, monkeypatch
):
    pull(pattern="set[01]")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    names = [record.name for record in select("tiny")]
    assert names == [f"set{i}" for i in range(5)]
    outcomes = dict(ensure(select("tiny"), progress=False))
    there = [r.name for r, o in outcomes.items() if isinstance(o, StoredDataset)]
    assert there == ["set0", "set1"]
    failed = [o for o in outcomes.values() if not isinstance(o, StoredDataset)]
    assert all(isinstance(o, TransportError) for o in failed)
    assert "cannot be reached" in str(failed[0])


def test_when_all_is_stored_the_hub_is_not_asked(hub, repository, tiny_suite):
    pull()
    before = len(hub.requests)
    outcomes = pull()
    assert all(isinstance(o, StoredDataset) for o in outcomes.values())
    assert len(hub.requests) == before


def test_a_changed_file_is_fetched_again(hub, repository, tiny_suite, archive):
    pull()
    repository.commit({"public/set1.npz": archive(n_train=77)})
    source = open_source(tiny_suite[0])
    records = select("tiny", source=source)
    outcomes = dict(ensure(records, progress=False))
    sizes = {r.name: o.record.n_train for r, o in outcomes.items()}
    assert sizes == {"set0": 40, "set1": 77, "set2": 40, "set3": 40, "set4": 40}


def odbench(*arguments, **environment):
    """Run the command line in a new process, in which the client reads its settings."""
    return subprocess.run(
        [sys.executable, "-m", "odbench", "datasets", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.slow
def test_the_command_line_pulls_from_the_hub(hub, repository):
    hub.repositories["MacrOData-CMU/OddBench"] = repository
    hub.faults = {"set1.npz": [500, "ok", "cut"]}
    done = odbench("pull", "--suite", "oddbench")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 of 5 data sets in the store")
    assert "729 manifest rows are not in hub MacrOData-CMU/OddBench@" in done.stderr
    assert "5 files in hub" in done.stderr


def test_what_the_clients_own_cache_has_is_read_offline(hub, repository, tmp_path):
    hub.repositories["MacrOData-CMU/OddBench"] = repository
    own = {"HF_HOME": str(tmp_path / "hf")}
    code = (
        "from huggingface_hub import snapshot_download\n"
        "snapshot_download('MacrOData-CMU/OddBench', repo_type='dataset')"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        env={**os.environ, **own},
    )
    hub.requests.clear()
    done = odbench("pull", "--suite", "oddbench", **own, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 of 5 data sets in the store")
    assert hub.requests == []
    kept = tmp_path / "hf" / "hub" / "datasets--MacrOData-CMU--OddBench"
    assert len(list(kept.rglob("*.npz"))) == 6


def test_an_interrupted_download_stops_at_its_next_piece(hub, repository, tiny_suite):
    from odbench.data.pull import fetch

    class Stop(BaseException):
        pass

    def tick(count):
        if count:
            raise Stop

    (record,) = select("tiny", pattern="set0")
    with pytest.raises(Stop):
        fetch(record, open_source(tiny_suite[0]), Store.default(), tick=tick)
    root = Store.default().root
    assert not [p for p in root.rglob("*") if p.suffix in (".npz", ".incomplete")]
    assert Store.default().find(record) is None


def test_the_representative_folder_is_a_subset_that_is_known_offline_later(
    hub, repository, tiny_suite
):
    files = repository.commits[-1]
    copies = {f"representative/set{i}.npz": files[f"public/set{i}.npz"] for i in (1, 3)}
    repository.commit({**files, **copies})
    wanted = {"tiny/set1": "public/set1.npz", "tiny/set3": "public/set3.npz"}

    records = select("tiny-representative")

    assert {record.id: record.path for record in records} == wanted
    assert all(
        isinstance(outcome, StoredDataset) for _, outcome in ensure(records, jobs=1)
    )
    hub.repositories.clear()
    assert resolve("tiny-representative")[1] == {"set1", "set3"}
