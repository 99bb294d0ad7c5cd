"""Columns in one of three shapes: numbers, moments or text, with missing values."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import numpy as np

from odbench.arrays import FloatArray
from odbench.tables.numbers import LARGEST, MISSING, MISSING_EXACT

_DAY = 86_400.0
# A whole number with zeros behind the point, as pandas writes it beside missing ones.
_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_TRUTH = ("true", "false")
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def family(kind: Any) -> str:
    """Return how values of an Arrow type are treated.

    Parameters
    ----------
    kind : pyarrow.DataType

    Returns
    -------
    {"number", "integer", "truth", "moment", "text", "empty", "nested"}
    """
    import pyarrow.types as of

    if of.is_dictionary(kind):
        kind = kind.value_type
    checks = (
        ("truth", (of.is_boolean,)),
        ("integer", (of.is_integer,)),
        ("number", (of.is_floating, of.is_decimal, of.is_duration)),
        ("moment", (of.is_timestamp, of.is_date, of.is_time)),
        ("text", (of.is_string, of.is_large_string, of.is_string_view)),
        ("empty", (of.is_null,)),
    )
    for name, tests in checks:
        if any(test(kind) for test in tests):
            return name
    return "nested"


def as_numbers(column: Any) -> FloatArray:
    """Return a column of numbers or truth values as float64, NaN if missing.

    Parameters
    ----------
    column : pyarrow array of length n
        Durations become seconds.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as of

    column = undictionary(column)
    if of.is_duration(column.type):
        column = _seconds(column, pa.int64())
    values = pc.cast(column, pa.float64(), safe=False)
    numbers = np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        numbers[~(np.abs(numbers) <= LARGEST)] = np.nan
    return numbers


def as_days(column: Any) -> FloatArray:
    """Return dates and timestamps as days since 1970, NaN if missing.

    A timestamp with a time zone counts by the clock of its zone.

    Parameters
    ----------
    column : pyarrow array of length n
        Times of day become a share of the day.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as of

    column = undictionary(column)
    if of.is_time(column.type):
        whole = pa.int32() if of.is_time32(column.type) else pa.int64()
        seconds = _seconds(column, whole).to_numpy(zero_copy_only=False)
        return np.array(seconds, dtype=np.float64) / _DAY
    if getattr(column.type, "tz", None):
        column = pc.local_timestamp(column)
    micro = pc.cast(column, pa.timestamp("us"), safe=False).cast(pa.int64())
    values = pc.cast(micro, pa.float64(), safe=False)
    days = np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.asarray(days / (1e6 * _DAY))


def _seconds(column: Any, whole: Any) -> Any:
    """Return a duration or time as seconds, by way of its whole numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    units = column.cast(whole).cast(pa.float64())
    return pc.divide(units, _PER_SECOND[column.type.unit])


def as_text(column: Any) -> Any:
    """Return a column as trimmed text, null where it says that no value is there.

    Parameters
    ----------
    column : pyarrow array of length n
        Whole numbers are written without a decimal point, lists as Python shows them.

    Returns
    -------
    pyarrow large_string array of length n
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = undictionary(column)
    if family(column.type) in ("number", "integer", "truth"):
        column = _number_text(column)
    elif family(column.type) == "nested":
        shown = [None if v is None else _shown(v) for v in column.to_pylist()]
        column = pa.array(shown, pa.large_string())
    text = pc.utf8_trim_whitespace(pc.cast(column, pa.large_string()))
    gone = pc.or_(
        pc.is_in(pc.utf8_upper(text), _strings(MISSING)),
        pc.is_in(text, _strings(MISSING_EXACT)),
    )
    return pc.if_else(gone, pa.scalar(None, pa.large_string()), text)


def _shown(value: Any) -> str:
    """Return a value that is neither text nor a number as text, byte by byte."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


def category_key(text: str) -> str:
    """Return the text by which equal categories are found, however they are written.

    Examples
    --------
    >>> category_key("1.0"), category_key("True"), category_key("1.5")
    ('1', 'true', '1.5')
    """
    whole = _WHOLE.fullmatch(text)
    if whole:
        return whole[1]
    return text.lower() if text.lower() in _TRUTH else text


@cache
def _strings(texts: frozenset[str]) -> Any:
    import pyarrow as pa

    return pa.array(sorted(texts), pa.large_string())


def _number_text(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if family(column.type) != "number":
        return column
    values = as_numbers(column)
    known = values[~np.isnan(values)]
    if (known == np.round(known)).all() and (np.abs(known) < 2**53).all():
        return pc.cast(pa.array(values, from_pandas=True), pa.int64())
    return pa.array(values, from_pandas=True)


def undictionary(column: Any) -> Any:
    """Return a dictionary array's values as a plain array; others as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    if isinstance(column, pa.DictionaryArray):
        column = pc.cast(column, column.type.value_type)
    return column


def readable(column: Any) -> Any:
    """Return an array as a type that rows can be taken from and shown.

    Views, run-end encoding and extension types become the plain types they stand for,
    also as the values of a dictionary, and an unknown time zone UTC. Nested types that
    Arrow cannot select from, such as unions, become bytes.

    Parameters
    ----------
    column : pyarrow array of length n

    Returns
    -------
    pyarrow array of length n
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as of

    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if isinstance(column, pa.DictionaryArray):
        values = readable(column.dictionary)
        # Arrow cannot cast a dictionary of views, as polars writes its categories.
        kept = values.type == column.dictionary.type
        return column if kept else values.take(column.indices)
    kind = column.type
    if of.is_run_end_encoded(kind):
        return readable(pc.run_end_decode(column))
    if of.is_string_view(kind):
        return pc.cast(column, pa.large_string())
    if of.is_timestamp(kind) and kind.tz and not _known_zone(kind.tz):
        return column.view(pa.timestamp(kind.unit, "UTC"))
    if kind == pa.time64("ns"):
        # Python's times of day, which an identifier becomes, end at microseconds.
        return pc.cast(column, pa.time64("us"), safe=False)
    if family(kind) == "nested" and not _can_be_taken(kind):
        return pa.array([str(value).encode() for value in column.to_pylist()])
    return column


def without_periods(batch: Any) -> list[Any]:
    """Return a batch's columns; periods of pandas become the moments they start at.

    A file holds them as whole numbers, with their frequency beside them; pyarrow knows
    the type only where pandas has registered it.
    """
    return [
        _period_starts(field, column)
        for field, column in zip(batch.schema, batch.columns, strict=True)
    ]


def _period_starts(field: Any, column: Any) -> Any:
    import pyarrow as pa

    frequency = _frequency(field)
    if not frequency:
        return column
    import pandas as pd

    whole = column.storage if isinstance(column, pa.ExtensionArray) else column
    numbers = whole.fill_null(0).to_numpy(zero_copy_only=False)
    try:
        periods = pd.arrays.PeriodArray(numbers, dtype=pd.PeriodDtype(frequency))
        starts = np.asarray(periods.to_timestamp())
    # The frequency is unknown, or a period is beyond every date.
    except ValueError:
        return whole
    gone = whole.is_null().to_numpy(zero_copy_only=False)
    return pa.array(starts, mask=gone)


def _frequency(field: Any) -> str:
    """Return the frequency of a field's periods, "" if it has none."""
    told = field.metadata or {}
    if told.get(b"ARROW:extension:name") != b"pandas.period":
        return str(getattr(field.type, "freq", ""))
    try:
        return str(json.loads(told[b"ARROW:extension:metadata"])["freq"])
    except (ValueError, TypeError, KeyError):
        return ""


def _known_zone(zone: str) -> bool:
    import pyarrow as pa

    try:
        pa.lib.string_to_tzinfo(zone)
    except (KeyError, ValueError, OSError, pa.ArrowException):
        return False
    return True


def _can_be_taken(kind: Any) -> bool:
    import pyarrow as pa

    try:
        pa.nulls(1, kind).take(pa.array([0])).to_pandas()
    except (NotImplementedError, pa.ArrowException):
        return False
    return True
