"""Specs are parsed as users mean them, and written back the same."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odbench.errors import UsageError
from odbench.plugins.specs import (
    format_params,
    format_value,
    identity,
    label_params,
    parse_specs,
    parse_value,
    recorded_params,
    split_spec,
)


@pytest.mark.parametrize(
    ("text", "specs"),
    [
        ("knn", ["knn"]),
        ("knn, lof ,", ["knn", "lof"]),
        ("knn:k=20,method=mean,lof", ["knn:k=20,method=mean", "lof"]),
        ("knn:k=20,method=mean;lof", ["knn:k=20,method=mean", "lof"]),
        ("knn[k=20,method=mean],lof", ["knn[k=20,method=mean]", "lof"]),
        ("egmm:components=(1,2),ridge=1,knn", ["egmm:components=(1,2),ridge=1", "knn"]),
        ("a/b.py:Mine:k=1,pkg.mod:Other", ["a/b.py:Mine:k=1", "pkg.mod:Other"]),
        ("x:s='a,b',pyod.LODA:n_bins=10", ["x:s='a,b'", "pyod.LODA:n_bins=10"]),
        ("", []),
    ],
)
def test_lists_are_split_between_detectors(text, specs):
    assert parse_specs(text) == specs


@pytest.mark.parametrize(
    "text", ["k=20", "knn,k=20", "knn[k=1],k=2", "knn;k=2", "knn[k=1", "x:s='a", "a]"]
)
def test_what_belongs_to_nothing_is_refused(text):
    with pytest.raises(UsageError):
        parse_specs(text)


@pytest.mark.parametrize(
    ("spec", "target", "params"),
    [
        ("knn", "knn", {}),
        ("knn:k=20", "knn", {"k": 20}),
        ("knn[k=20, method = mean]", "knn", {"k": 20, "method": "mean"}),
        ("m.n:Cls[a=none]", "m.n:Cls", {"a": None}),
        ("d/f.py:Cls:a=[1,2],b=True", "d/f.py:Cls", {"a": [1, 2], "b": True}),
        ("x=1/f.py:Cls", "x=1/f.py:Cls", {}),
        ("C:\\d\\f.py:Cls:a=1e-3", "C:\\d\\f.py:Cls", {"a": 0.001}),
        ("knn[]", "knn", {}),
    ],
)
def test_a_spec_is_a_target_and_parameters(spec, target, params):
    assert split_spec(spec) == (target, params)


@pytest.mark.parametrize("spec", ["knn[20]", "knn:k=1,k=2", "knn:k=1,20"])
def test_half_parameters_are_refused(spec):
    with pytest.raises(UsageError, match="knn"):
        split_spec(spec)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text("abcXYZ019_.,:;=[](){}'\" +-", max_size=12),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(values)
def test_values_survive_being_written(value):
    written = format_value(value)
    read = parse_value(written)

    assert read == value
    assert type(read) is type(value)


@given(st.dictionaries(st.from_regex(r"[a-z]\w{0,5}", fullmatch=True), values))
def test_specs_survive_being_written(params):
    spec = f"pkg.mod:Cls:{format_params(params)}" if params else "pkg.mod:Cls"

    assert parse_specs(f"lof;{spec};knn") == ["lof", spec, "knn"]
    assert split_spec(spec) == ("pkg.mod:Cls", params)


def test_not_a_number_can_be_written():
    assert math.isnan(parse_value(format_value(math.nan)))


def test_identity_is_that_of_full_parameters():
    assert identity("knn", {"k": 5, "m": "x"}) == identity("knn", {"m": "x", "k": 5})
    assert identity("knn", {"k": 5}) != identity("knn", {"k": 6})
    assert identity("knn", {"k": 5}) != identity("lof", {"k": 5})
    assert len(identity("knn", {})) == 12


def test_a_label_names_a_long_value_by_its_type_and_a_hash():
    assert label_params({"k": 20, "s": "a b"}) == format_params({"k": 20, "s": "a b"})
    one, other = (label_params({"w": np.full(5_000, x)}) for x in (0.1, 0.2))
    assert one.startswith("w=ndarray#")
    assert len(one) < 30
    assert one != other


def test_the_record_of_a_run_holds_no_huge_value():
    params = {"k": 3, "some": [0.5] * 100, "many": np.zeros(100_000)}

    recorded = recorded_params(params)

    assert recorded["k"] == 3
    assert recorded["some"] == [0.5] * 100
    assert recorded["many"].startswith("ndarray#")
