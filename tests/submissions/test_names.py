"""Names that look the same are the same; others are not."""

import itertools
import string
import unicodedata

import pytest

from odbench.plugins.find import list_detectors
from odbench.submissions.names import _look_alikes, same_name


def named(*names):
    """The characters with these names."""
    return "".join(map(unicodedata.lookup, names))


PALOCHKA = named("CYRILLIC SMALL LETTER PALOCHKA")
CAPITAL_PALOCHKA = named("CYRILLIC LETTER PALOCHKA")
DOTLESS_I = named("LATIN SMALL LETTER DOTLESS I")
SCRIPT_G = named("LATIN SMALL LETTER SCRIPT G")
ALIKE = [
    # Case, form, spaces, punctuation and accents.
    ("k-NN", "KNN"),
    ("Mine", "Ｍine"),
    ("Straße", "STRASSE"),
    ("My_Method v2.1", "my method V2 1"),
    ("Löf", "Lof"),
    ("Lo\u0308f", "LÖF"),
    ("Mi\u0338ne", "Mine"),
    ("Mine\u3164", "Mine"),
    ("Mi\u115fne", "Mine"),
    ("Mine\u2060", "Mine"),
    ("Mine\u02bc", "Mine"),
    ("Mine\u02c8", "Mine"),
    # Letters and digits of one alphabet.
    ("IForest", "lForest"),
    ("IForest", "1Forest"),
    ("IForest", "|Forest"),
    ("LOF", "L0F"),
    ("Mine", "rnine"),
    ("ærate", "aerate"),
    # Small letters of other scripts.
    ("lof", PALOCHKA + "of"),
    ("iforest", PALOCHKA + "forest"),
    ("IForest", CAPITAL_PALOCHKA + "Forest"),
    ("iforest", DOTLESS_I + "forest"),
    ("IFOREST", DOTLESS_I + "forest"),
    ("gmm", SCRIPT_G + "mm"),
    ("GMM", SCRIPT_G + "mm"),
    ("pca", "\u0440\u0441\u0430"),
    ("solver", "sol\N{GREEK SMALL LETTER NU}er"),
    ("knn", "k\N{GREEK SMALL LETTER NU}\N{GREEK CAPITAL LETTER NU}"),
    ("usad", "\N{GREEK SMALL LETTER UPSILON}sad"),
    ("dagmm", "\N{CYRILLIC SMALL LETTER KOMI DE}agmm"),
    ("ecod", "ec\N{ARMENIAN SMALL LETTER OH}d"),
    ("hbos", "\N{CYRILLIC SMALL LETTER SHHA}bos"),
    ("hbos", "\N{ARMENIAN SMALL LETTER HO}bos"),
    ("cblof", "\N{ROMAN NUMERAL ONE HUNDRED}blof"),
    ("suod", "\N{CYRILLIC SMALL LETTER DZE}uod"),
    ("ocsvm", "\N{MYANMAR LETTER WA}csvm"),
    ("svdd", "svd\N{LATIN SMALL LETTER D WITH STROKE}"),
    ("wknn", "\N{CYRILLIC SMALL LETTER WE}knn"),
    ("alad", "a\N{LATIN SMALL LETTER L WITH STROKE}ad"),
    ("vae", "\N{MATHEMATICAL SCRIPT SMALL V}ae"),
    ("xgbod", "\N{MULTIPLICATION SIGN}gbod"),
    # Capitals of other scripts.
    ("PCA", "\u0420\u0421\u0410"),
    ("ABOD", "\u0391\u0392\u039fD"),
    ("CATS", "\N{CHEROKEE LETTER TLI}ATS"),
    ("ECOD", "\N{LISU LETTER E}COD"),
    ("LOF", "\N{CHEROKEE LETTER TLE}OF"),
    ("LOF", "\N{DESERET CAPITAL LETTER ETH}OF"),
    ("HBOS", "\N{GREEK CAPITAL LETTER ETA}BOS"),
    ("TIGER", "\N{CYRILLIC CAPITAL LETTER TE}IGER"),
    # Digits.
    ("Net3", "Net\N{CYRILLIC CAPITAL LETTER ZE}"),
    ("Net3", "Net\N{LATIN CAPITAL LETTER EZH}"),
    ("Net2", "Net\N{LATIN CAPITAL LETTER TONE TWO}"),
    ("Net0", "Net\N{ARABIC LETTER HEH}"),
    ("Net8", "Net\N{BENGALI DIGIT FOUR}"),
]
DIFFERENT = [
    ("Mine", "Mine 2"),
    ("Mine 1", "Mine 2"),
    ("Mine 3", "Mine z"),
    ("Mine 5", "Mine s"),
    ("\u041c\u043e\u0434\u0435\u043b\u044c", "Model"),
    ("ABOD", "ABO\N{GREEK CAPITAL LETTER DELTA}"),
    ("solver", "solner"),
    ("usad", "ysad"),
    ("hello", "helo"),
    ("modern", "modem n"),
    ("检测", "检验"),
    ("a", ""),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_the_same_are_the_same(one, other):
    assert same_name(one, other)
    assert same_name(other, one)
    assert same_name(one.upper(), other)
    assert same_name(one, other.lower())


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_names_are_not(one, other):
    assert not same_name(one, other)
    assert not same_name(other, one)


def test_the_detectors_of_odbench_have_different_names():
    names = [info.name for info in list_detectors()[0]]
    assert len(names) > 40
    alike = [pair for pair in itertools.combinations(names, 2) if same_name(*pair)]
    # Their own detector and PyOD's differ by the prefix, which is part of the name.
    assert alike == []


def test_every_row_of_the_table_counts():
    table = _look_alikes()
    assert len(table) == 3079
    for source, target in table.items():
        # Symbols count as punctuation, even those that a letter looks like.
        if any(map(str.isalnum, target)):
            assert same_name(f"x{source}y", f"x{target}y"), (source, target)


def test_no_two_plain_letters_or_digits_are_the_same_but_these():
    plain = string.ascii_lowercase + string.digits
    alike = [
        one + other
        for one, other in itertools.combinations(plain, 2)
        if same_name(one, other)
    ]
    assert alike == ["il", "i1", "l1", "o0"]


def test_a_long_name_of_ambiguous_letters_takes_no_time():
    assert same_name("iI1l" * 20, "lil1" * 20)
    assert not same_name("iI1l" * 20, "lil1" * 19 + "lilx")
