"""The apps of the simulated phone, a file each, and the phone that has them all."""

from __future__ import annotations

from importlib import import_module

from simonides.envs.android.simulated.app import App
from simonides.envs.android.simulated.phone import SIZE, START, Phone
from simonides.envs.android.simulated.world import World

APPS = (
    "browser:BrowserApp",
    "calendar:Calendar",
    "clock:Clock",
    "contacts:Contacts",
    "files:FilesApp",
    "messages:Messages",
    "notes:NotesApp",
    "settings:Settings",
    "shop:Shop",
    "transit:Transit",
)
"""Module and class of every app; another one needs its file and its name here."""


def app(target: str) -> type[App]:
    """Return the app class behind "module:Class"."""
    module, _, name = target.partition(":")
    found: type[App] = getattr(import_module(f"{__name__}.{module}"), name)
    return found


def phone(seed: int | None = 0, size: tuple[int, int] = SIZE, time: float = START) -> Phone:
    """Return a phone with all apps, filled with the data of a world drawn from the seed; None leaves it empty."""
    made = Phone([app(target) for target in APPS], size, time)
    if seed is not None:
        populate(made, World(seed))
    return made


def populate(phone: Phone, world: World) -> None:
    """Fill all apps with what the owner of a phone has."""
    for package in sorted(phone.apps):
        phone.apps[package].populate(phone, world)
    phone.refresh()
