"""Make wrong versions of valid files, JSON and tables, from a seeded generator."""

import json
import math
import os
from pathlib import Path

import pyarrow as pa

# ODBENCH_TEST_MUTATIONS=2000 repeats the figure in docs/faults.md.
MUTATIONS = int(os.environ.get("ODBENCH_TEST_MUTATIONS", "200"))
DETECTOR = f"{Path(__file__).with_name('plain_detector.py')}:Mine"
PIECES = [
    b"", b"\0", b"\xff", b"\xed\xa0\x80", b",", b";", b":", b"=", b'"', b"'", b"[",
    b"]", b"(", b")", b"{", b"}", b"\\", b"\n", b"\r", b"\t", b"-1", b"0", b"9" * 400,
    b"1e999", b"NaN", b"inf", b"none", b"true", b".", b"..", b"/", b"~", b"*", b"%s",
    b"x" * 5000, "Å".encode(), "\u202e".encode(), b"[" * 2000, b"1_0", b"--out", b".py",
    b"k=", b"pyod.",
]  # fmt: skip
# Written as text, because Python's encoder cannot write the deepest of them.
JSON_VALUES = [
    "null", "true", "-1", "0", "1e999", "NaN", "-Infinity", "9" * 400, "9" * 5000,
    "9223372036854775808", "1e18", "0.5", '""', '"ok"', '"failed"', '"default"',
    json.dumps("x" * 20_000), '"\\ud800"', '"\\u202e\\u001b[31m"', '"\\u0000"',
    '"a\\nb"', '"../../x"', "[]", "{}", "[null]", '{"": null}', "[[1,2],[3]]",
    "[" * 60 + "]" * 60, "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900,
    "[" * 20_000 + "]" * 20_000,
]  # fmt: skip
TABLE_VALUES = [
    None, True, -1, 0, 1, 2**62, 2**63 - 1, -(2**63), 0.5, 1e300, -0.0, math.nan,
    math.inf, -math.inf, "", "ok", "failed", "nonsense", "default", "x" * 20_000,
    "\u202e\x1b[31m", "a\nb", "../../x", "=1+1", b"\xff\xfe", [], [1], {"a": 1},
]  # fmt: skip
TABLE_TYPES = [
    pa.null(), pa.bool_(), pa.int8(), pa.int64(), pa.uint64(), pa.float32(),
    pa.float64(), pa.string(), pa.large_string(), pa.binary(), pa.date32(),
    pa.timestamp("ns"), pa.duration("s"), pa.decimal128(38, 2),
    pa.dictionary(pa.int8(), pa.string()),
]  # fmt: skip


def mutated(rng, content):
    """Return the bytes with one to four changes."""
    for _ in range(rng.randint(1, 4)):
        at, length = rng.randrange(len(content) + 1), rng.choice((0, 1, 1, 2, 8))
        kind = rng.randrange(5)
        if kind == 0:
            piece = bytes([rng.randrange(256)])
        elif kind == 1:
            start = rng.randrange(len(content) + 1)
            piece = content[start : start + rng.randrange(1, 12)]
        else:
            piece = rng.choice(PIECES)
        if kind == 4 and rng.random() < 0.2:
            content = content[:at]
        else:
            content = content[:at] + piece + content[at + length :]
    return content


def changed_json(rng, text):
    """Return JSON text with one to three values replaced, dropped, doubled or added."""
    tree = _tree(json.loads(text))
    for _ in range(rng.randint(1, 3)):
        _change(rng, tree)
    return _text(tree)


def _tree(value):
    """Return JSON as lists, where an object is a tuple of a list of pairs."""
    if isinstance(value, dict):
        return ([[json.dumps(name), _tree(one)] for name, one in value.items()],)
    if isinstance(value, list):
        return [[None, _tree(one)] for one in value]
    return json.dumps(value)


def _text(tree):
    if isinstance(tree, str):
        return tree
    if isinstance(tree, tuple):
        return "{" + ",".join(f"{name}:{_text(one)}" for name, one in tree[0]) + "}"
    return "[" + ",".join(_text(one) for _, one in tree) + "]"


def _change(rng, tree):
    inside = tree[0] if isinstance(tree, tuple) else tree
    if not inside:
        return
    at = rng.randrange(len(inside))
    name, value = inside[at]
    if not isinstance(value, str) and rng.random() < 0.7:
        _change(rng, value)
        return
    kind = rng.randrange(6)
    if kind == 0:
        del inside[at]
    elif kind == 1:
        inside.insert(rng.randrange(len(inside) + 1), [name, rng.choice(JSON_VALUES)])
    elif kind == 2 and name is not None:
        inside[at][0] = rng.choice([v for v in JSON_VALUES if v.startswith('"')])
    else:
        inside[at][1] = rng.choice(JSON_VALUES)


def changed_table(rng, table):
    """Return a table with one to three columns changed in values, type or name."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(table.num_columns)
        name, column = table.column_names[at], table.column(at)
        kind = rng.randrange(8)
        if kind == 0:
            table = table.remove_column(at)
        elif kind == 1:
            table = table.append_column(name, column)
        elif kind == 2:
            table = pa.concat_tables([table, table])
        elif kind == 3:
            wanted = rng.choice(TABLE_TYPES)
            table = table.set_column(at, name, _cast(column, wanted))
        else:
            table = table.set_column(at, name, _with_values(rng, column))
    return table


def _cast(column, wanted):
    try:
        return column.cast(wanted)
    except (pa.ArrowException, NotImplementedError):
        return pa.nulls(len(column), wanted)


def _with_values(rng, column):
    """Return a column with one value, or all of them, replaced."""
    value = rng.choice(TABLE_VALUES)
    values = column.to_pylist()
    for at in rng.choice((range(len(values)), [rng.randrange(len(values))])):
        values[at] = value
    try:
        return pa.array(values, column.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    try:
        return pa.array([value] * len(values))
    except (pa.ArrowException, UnicodeError):
        return column
