"""Names of months in other languages than English, as dates have them."""

from __future__ import annotations

import re

_ENGLISH = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
# German, French, Spanish, Italian, Portuguese and Dutch, with their usual short forms.
_OTHERS = (
    "januar jänner jaenner jän janvier janv enero ene gennaio gen janeiro januari",
    "februar feber februari février fevrier févr fevr fév fev febrero febbraio"
    " fevereiro",
    "märz maerz mär mrz mars marzo março marco maart mrt",
    "april avril avr abril abr aprile",
    "mai mayo maggio mag maio mei",
    "juni juin junio giugno giu junho",
    "juli juillet juil julio luglio lug julho",
    "august août aout agosto ago augustus",
    "september septembre sept septiembre setiembre settembre set setembro",
    "oktober okt octobre octubre ottobre ott outubro out",
    "november novembre noviembre novembro",
    "dezember dez décembre decembre déc dic diciembre dicembre dezembro december",
)
_MONTHS = {
    name: english
    for names, english in zip(_OTHERS, _ENGLISH, strict=True)
    for name in names.split()
}
_WEEKDAY_NAMES = """
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi
    do fr sa so lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer
    jeu ven sam dim lunes martes miércoles miercoles jueves viernes sábado sabado
    domingo mié mie jue vie sáb sab dom lunedì martedì mercoledì giovedì venerdì
    sabato domenica gio segunda-feira terça-feira quarta-feira quinta-feira
    sexta-feira seg ter qua qui sex maandag dinsdag woensdag donderdag vrijdag
    zaterdag zondag ma wo vr za zo
"""
_WEEKDAYS = frozenset(_WEEKDAY_NAMES.split())
# A weekday, the day of the month, its name, the year, and the time.
_DATE = re.compile(
    r"(?:(?P<weekday>[^\W\d_]+(?:-feira)?)[.,]*\s+(?:(?:den|dem|le|el)\s+)?)?"
    r"(?:(?P<day>\d{1,2})(?:\.|er|re|º|ª|°)?[\s-]*(?:de\s+)?)?"
    r"(?P<month>[^\W\d_]{3,10})\.?(?P<between>[\s,-]+(?:del?\s+)?)"
    r"(?P<year>\d{4}|\d{2})(?!\d)(?P<rest>[\s,T].*)?",
    re.IGNORECASE,
)
_BEFORE_TIME = re.compile(r"\s*,?\s*(?:um|à|a\s+las|alle\s+ore|alle|às|om)\s+(?=\d)")


def in_english(text: str) -> str:
    """Return a date whose month has another language's name in English.

    Other text is returned as it is.

    Examples
    --------
    >>> in_english("4. Dez 2025"), in_english("1er févr. 2024 08:30")
    ('4 Dec 2025', '1 Feb 2024 08:30')
    >>> in_english("martes, 5 de marzo de 2024"), in_english("mars 2024")
    ('5 Mar 2024', 'Mar 2024')
    >>> in_english("Model 3 mai 2024"), in_english("4 Dec 2025")
    ('Model 3 mai 2024', '4 Dec 2025')
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return text
    weekday, day, name, year = found.group("weekday", "day", "month", "year")
    month = _month(name)
    if month is None or (weekday and weekday.lower() not in _WEEKDAYS):
        return text
    if day is None and len(year) == 2:
        return text
    rest = _BEFORE_TIME.sub(" ", found["rest"] or "")
    return " ".join(filter(None, (day, month, year))) + rest.removesuffix(" Uhr")


def _month(name: str) -> str | None:
    lower = name.lower()
    return _MONTHS.get(lower) or next(
        (each for each in _ENGLISH if each.lower() == lower), None
    )
