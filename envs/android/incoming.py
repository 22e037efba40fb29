"""What comes in on a simulated phone from outside: a short message from somebody, or a notification of town news."""

from __future__ import annotations

from simonides.envs.android.simulated.apps import browser, messages
from simonides.envs.android.simulated.phone import Phone

STRANGER = "555-0100"
"""The number of a message that names nobody (555-01xx is kept for fiction)."""


def arrive(phone: Phone, channel: str, text: str) -> None:
    """Let a text come in: on the channel `message` as a short message, otherwise as a web page's notification."""
    if channel == "message":
        messages.receive(phone, *sender(phone, text))
    else:
        phone.notify(browser.PACKAGE, "Town news", text)
        phone.refresh()


def spoken(text: str) -> tuple[str, str]:
    """Return who says a text and what is said, from 'Ann said, "..."'; ("", text) where nobody is named."""
    who, found, rest = text.partition(' said, "')
    return (who, rest.removesuffix('"')) if found and rest.endswith('"') else ("", text)


def sender(phone: Phone, text: str) -> tuple[str, str]:
    """Return the number that a message comes from and its body; a name that is no contact is the number itself."""
    who, body = spoken(text)
    contact = phone.database("org.simonides.contacts").execute("SELECT number FROM contacts WHERE name = ?", (who,))
    row = contact.fetchone()
    return (row["number"] if row is not None else who or STRANGER), body
