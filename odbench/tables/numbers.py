"""Read numbers from text: decimal commas, thousands, currencies, percent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from odbench.arrays import FloatArray

# Text that means "no value", in upper case.
MISSING = frozenset(
    ("", "?", "-", "--", ".", "NA", "N/A", "#N/A", "NAN", "NULL", "<NA>", "NIL")
)
# In lower case it is a value of many categories, such as "other debtors: none".
MISSING_EXACT = frozenset(("None", "NONE"))
# Units that may surround a number; they do not change it.
_MONEY = (
    r"[$€£¥₹₩₽₺₪฿]|(?:AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW"
    r"|MXN|MYR|NOK|NZD|PHP|PLN|RON|RUB|SEK|SGD|THB|TRY|TWD|USD|ZAR|kr|zł|Kč|Ft)(?![^\W\d_])"
)
# A sign may stand before a currency, after the number, or be a pair of parentheses. An
# estimate may be marked in front, and a footnote behind.
_UNITS = re.compile(
    rf"\s*(?:[~\u2248]\s*)?(?P<open>\()?\s*(?P<first>[-+\u2212])?\s*(?:{_MONEY})?\s*"
    rf"(?P<second>[-+\u2212])?(?P<number>[\d.,].*?)"
    rf"(?P<last>(?<=[.,]\d\d)-)?\s*(?:%|{_MONEY})?\s*(?P<close>\))?\s*"
    r"[*\u2020\u2021]{0,3}\s*"
)
_PADDED = re.compile(r"\s*0\d+\s*")
_SYMBOL = re.compile(rf"%|{_MONEY}")
_MARKS = re.compile(r"[~\u2248*\u2020\u2021]")
# Share of the values up to which a leading zero is a slip.
_SLIPS = 0.05
# A number and a unit that is a word of its own, such as "50 kg" or "3.5m/s".
_WITH_UNIT = re.compile(
    r"([-+\u2212]?[\d.,][\d.,'’\s]*?)\s*([^\W\d_][^\d\s]{0,9}|°[^\d\s]?)"
)
# Fewer different values say little about a unit.
_FEW_VALUES = 3
# Readable, but no value to compare with: it counts as missing.
_INFINITE = re.compile(r"(?i)[-+]?inf(inity)?")
_SPACES = r"\d{1,3}([ \u00a0\u202f'’]\d{3})+"
_POWER = r"([eE][+-]?\d+)?"
# For each decimal mark, how a number is written. One mark before three digits may be
# either; it is a decimal mark behind a lone 0 and before an exponent, since nobody
# groups digits there.
_FORMS = {
    mark: re.compile(
        rf"[+-]?((\d+({decimal}\d*)?|{decimal}\d+){_POWER}"
        rf"|((?!0{thousands}\d{{3}}\Z)\d{{1,3}}({thousands}\d{{3}})+|{_SPACES}"
        # As in India: 12,34,567.
        rf"|\d{{1,2}}({thousands}\d{{2}})+{thousands}\d{{3}})({decimal}\d*)?)"
    )
    for mark, decimal, thousands in ((".", r"\.", ","), (",", ",", r"\."))
}
_THOUSANDS = {".": re.compile(r"[,'’\s]"), ",": re.compile(r"[.'’\s]")}
# Larger numbers, of which sums and products may be infinite, count as missing.
LARGEST = 1e300


def count_readable(texts: Iterable[str]) -> dict[str, int]:
    """Count the texts that are numbers, for each decimal mark.

    Parameters
    ----------
    texts : iterable of str
        Values that are present.

    Returns
    -------
    dict of str to int
        For "." and ",".
    """
    plain = [_plain(text) for text in texts]
    infinite = sum(1 for text in plain if _INFINITE.fullmatch(text))
    return {
        mark: infinite + sum(1 for text in plain if form.fullmatch(text))
        for mark, form in _FORMS.items()
    }


def _plain(text: str) -> str:
    """Return a number without units, its sign in front; other text as it is."""
    found = _UNITS.fullmatch(text)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return text.strip()
    signs = [found[name] for name in ("open", "first", "second", "last") if found[name]]
    if len(signs) > 1:
        return text.strip()
    return ("" if not signs or signs == ["+"] else "-") + found["number"].strip()


def common_unit(texts: Sequence[str], share: float, fewest: int = _FEW_VALUES) -> str:
    """Return the unit that stands behind the numbers of a column, "" if there is none.

    Parameters
    ----------
    texts : sequence of str
        Different values.
    share : float
        The least share of them that must have it.
    fewest : int
        Fewer values have none.

    Examples
    --------
    >>> common_unit(["50 kg", "70 kg", "82.5 kg"], 0.95)
    'kg'
    >>> common_unit(["50 kg", "70 g", "82.5 kg"], 0.95)
    ''
    """
    if len(texts) < fewest:
        return ""
    units = Counter(
        found[2] for text in texts if (found := _WITH_UNIT.fullmatch(text.strip()))
    )
    unit, count = max(units.items(), key=lambda pair: pair[1], default=("", 0))
    return unit if count >= share * len(texts) else ""


def without_unit(text: str, unit: str) -> str:
    """Return a text without the unit at its end.

    Examples
    --------
    >>> without_unit("50 kg", "kg"), without_unit("50", "kg")
    ('50', '50')
    """
    return text.strip().removesuffix(unit).strip() if unit else text


def units_note(texts: Sequence[str]) -> str:
    """Return a remark on several units, and on marks of estimates and footnotes.

    Parameters
    ----------
    texts : sequence of str
        Different values.

    Examples
    --------
    >>> units_note(["EUR 3", "5 USD", "7 USD"]), units_note(["3 €", "4 €", "5"])
    ('EUR and USD are not converted', '')
    >>> units_note(["12%", "0.12"])
    '% in some values only, not converted'
    >>> units_note(["~3", "4", "5*"])
    'the marks * and ~ are left out'
    """
    marks = sorted({mark for text in texts for mark in _MARKS.findall(text)})
    notes = []
    if marks:
        verb = "marks {} are" if marks[1:] else "mark {} is"
        notes.append(f"the {verb.format(_listed(marks))} left out")
    found = [set(_SYMBOL.findall(text)) for text in texts]
    signs = sorted({sign for each in found for sign in each} - {"%"})
    percent = sum("%" in each for each in found)
    if len(signs) > 1:
        notes.append(f"{_listed(signs)} are not converted")
    elif 0 < percent < len(texts):
        notes.append("% in some values only, not converted")
    return "; ".join(notes)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def padded(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the whole numbers that begin with a zero, as codes do.

    Examples
    --------
    >>> padded(["0120", "17", "0", "0.5"])
    ('0120',)
    """
    return tuple(text for text in texts if _PADDED.fullmatch(text))


def are_codes(texts: Sequence[str]) -> bool:
    """Check whether whole numbers are padded with zeros, as codes are.

    One that has a zero too many among numbers of other lengths is a slip.

    Parameters
    ----------
    texts : sequence of str
        Different values.

    Examples
    --------
    >>> are_codes(["02134", "90210", "10001"]), are_codes(["7", "012"])
    (True, True)
    >>> are_codes(["0120", *map(str, range(100))])
    False
    """
    zeros = len(padded(texts))
    if not zeros:
        return False
    return (
        zeros > _SLIPS * len(texts) or len({len(text.strip()) for text in texts}) == 1
    )


def read_number(text: str, mark: str) -> float:
    """Return the number in a text, NaN if there is none.

    Parameters
    ----------
    text : str
    mark : {".", ","}
        The decimal mark.

    Examples
    --------
    >>> read_number("1.234,5 €", ","), read_number("12%", "."), read_number("x", ".")
    (1234.5, 12.0, nan)
    >>> read_number("0,750", ","), read_number("0,750", "."), read_number("1,900", ".")
    (0.75, nan, 1900.0)
    >>> read_number("-$3.5", "."), read_number("(3.50)", "."), read_number("USD 3", ".")
    (-3.5, -3.5, 3.0)
    >>> read_number("~500", "."), read_number("12.5 %*", "."), read_number("*", ".")
    (500.0, 12.5, nan)
    """
    form = _FORMS[mark]
    # Most numbers have no unit, and looking for one takes as long as reading them.
    plain = text if form.fullmatch(text) else _plain(text)
    if not form.fullmatch(plain):
        return float("nan")
    plain = _THOUSANDS[mark].sub("", plain).replace(",", ".")
    value = float(plain)
    return value if abs(value) <= LARGEST else float("nan")


def read_numbers(texts: Any, mark: str, unit: str = "") -> FloatArray:
    """Read a column of text as numbers.

    Parameters
    ----------
    texts : pyarrow string array of length n
    mark : {".", ","}
        The decimal mark.
    unit : str
        What may stand behind each number.

    Returns
    -------
    float64 array of shape (n,)
        NaN where there is no number.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        # Most columns hold plain numbers only.
        plain = texts if mark == "." else pc.replace_substring(texts, ",", ".")
        safe = mark == "." or not pc.any(pc.match_substring(texts, ".")).as_py()
        if safe:
            return _finite(pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        pass
    coded = texts.dictionary_encode()
    known = [
        float("nan") if text is None else read_number(without_unit(text, unit), mark)
        for text in coded.dictionary.to_pylist()
    ]
    return lookup(coded, np.asarray([*known, np.nan]))


def lookup(coded: Any, values: FloatArray) -> FloatArray:
    """Replace each entry of a dictionary array; the last value is for missing ones.

    Parameters
    ----------
    coded : pyarrow.DictionaryArray of length n
    values : float64 array of shape (n_distinct + 1,)

    Returns
    -------
    float64 array of shape (n,)
    """
    import pyarrow.compute as pc

    places = pc.fill_null(coded.indices, len(values) - 1)
    return np.asarray(values[places.to_numpy(zero_copy_only=False)], dtype=np.float64)


def _finite(values: Any) -> FloatArray:
    numbers = np.array(values, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        numbers[~(np.abs(numbers) <= LARGEST)] = np.nan
    return numbers
