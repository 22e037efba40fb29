"""Find time expressions in English text, and say which date they mean, seen from the time of the utterance.

Answers are written as LoCoMo's references are: "7 May 2023", "The week before 9 June 2023", "June 2023", "2022".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "a couple of": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10,
}  # fmt: skip
_NUMBER = r"(?P<n>\d+|a couple of|" + "|".join(word for word in _WORDS if word != "a couple of") + ")"
_MONTH = "(?P<month>" + "|".join(MONTHS) + ")"


def _moment(time: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time)


def written(date: datetime) -> str:
    """Return a date as "7 May 2023"."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def _month(date: datetime, shift: int) -> str:
    index = date.year * 12 + date.month - 1 + shift
    return f"{MONTHS[index % 12]} {index // 12}"


def _ago(date: datetime, found: re.Match[str]) -> str:
    word = found["n"].lower()
    count, unit = _WORDS.get(word) or int(word), found["unit"].lower()
    if unit == "day":
        return written(date - timedelta(days=min(count, 36_500)))
    if unit == "month":
        return _month(date, -min(count, 1200))
    if unit == "year":
        return str(date.year - count)
    return f"{found['n']} {unit}s before {written(date)}" if count > 1 else f"The {unit} before {written(date)}"


def _shifted(days: int) -> Callable[[datetime, re.Match[str]], str]:
    return lambda date, _: written(date + timedelta(days=days))


def _calendar(date: datetime, found: re.Match[str]) -> str:
    day = f"{int(found['day'])} " if found["day"] else ""
    return f"{day}{found['month'].capitalize()} {found['year'] or date.year}"


def _near(date: datetime, found: re.Match[str]) -> str:
    which, unit = found["which"].lower(), found["unit"].lower()
    side = {"last": -1, "past": -1, "this": 0, "next": 1}[which]
    if unit == "month":
        return _month(date, side)
    if unit == "year":
        return str(date.year + side)
    if unit in ("summer", "spring", "winter", "fall", "autumn"):
        return f"{unit.capitalize()} {date.year + side}"
    return f"The {found['unit']} {'after' if side > 0 else 'before'} {written(date)}"


_RULES: tuple[tuple[re.Pattern[str], Callable[[datetime, re.Match[str]], str]], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), rule)
    for pattern, rule in (
        (rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? (?P<year>\d{{4}}))?", _calendar),
        (rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}}))?", _calendar),
        (rf"{_NUMBER} (?P<unit>day|week|weekend|month|year)s? ago", _ago),
        (r"the day before yesterday", _shifted(-2)),
        (r"yesterday|last night", _shifted(-1)),
        (r"tomorrow", _shifted(1)),
        (
            rf"(?P<which>last|past|this|next) "
            rf"(?P<unit>week|weekend|month|year|summer|spring|winter|fall|autumn|{_DAYS})",
            _near,
        ),
        (rf"on (?P<unit>{_DAYS})", lambda date, found: f"The {found['unit']} before {written(date)}"),
        (rf"in (?P<day>){_MONTH}(?:,? (?P<year>\d{{4}}))?", _calendar),
        (r"in (?P<year>(?:19|20)\d\d)", lambda date, found: found["year"]),
        (r"today|tonight|this morning|this afternoon|this evening|just now", _shifted(0)),
    )
)


def resolve(text: str, time: float) -> str | None:
    """Return the date that the first matching time expression of a text means, or None if it has none.

    Rules are tried in order of how exact they are. `time` is when it was said, in seconds since the Unix epoch.
    """
    for pattern, rule in _RULES:
        found = pattern.search(text)
        if found:
            return rule(_moment(time), found)
    return None


def said_on(time: float) -> str:
    """Return the date on which something was said."""
    return written(_moment(time))


def without_dates(text: str) -> str:
    """Return a text without its time expressions."""
    for pattern, _ in _RULES:
        text = pattern.sub(" ", text)
    return text
