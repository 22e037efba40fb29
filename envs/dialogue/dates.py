"""Read the dates that dialogue data sets write, and write dates as their answers do. All times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

LOCOMO = "%I:%M %p on %d %B, %Y"
LONGMEMEVAL = "%Y/%m/%d (%a) %H:%M"
DAY = "%Y-%m-%d"


def seconds(text: str, form: str) -> float:
    """Return seconds since the Unix epoch. Raises ValueError when the text does not have the form."""
    return datetime.strptime(text.strip(), form).replace(tzinfo=UTC).timestamp()


def moment(time: float) -> datetime:
    """Return the UTC date and time of seconds since the Unix epoch."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time)


def day(time: float) -> str:
    """Return a date as LoCoMo's answers write it: "7 May 2023"."""
    date = moment(time)
    return f"{date.day} {date:%B %Y}"
