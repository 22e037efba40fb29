"""Whom and what the owner of a phone knows: drawn from a seed, the same for all apps of one phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from simonides.sim.seeds import generator, seed_of

FIRST = (
    "Ann", "Bo", "Cara", "Dev", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kemal", "Lena", "Mara", "Nils",
    "Olga", "Pavel", "Rosa", "Sami", "Tilda", "Vera",
)  # fmt: skip
LAST = (
    "Adler", "Brandt", "Costa", "Demir", "Evans", "Fischer", "Garcia", "Haas", "Ito", "Jansen", "Keller", "Lopez",
    "Moreau", "Novak", "Okafor", "Petit", "Rossi", "Silva", "Tanaka", "Weber",
)  # fmt: skip
COLOURS = ("#c62828", "#6a1b9a", "#283593", "#00695c", "#ef6c00", "#4e342e", "#37474f", "#ad1457")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the contacts."""

    name: str
    number: str
    email: str


class World:
    """The people around a phone's owner, and a source of draws for whatever else fills its apps."""

    def __init__(self, seed: int, people: int = 10) -> None:
        """Draw `people` (at most 20) with names and numbers of their own."""
        self.seed = seed
        rng = self.draws("people")
        firsts, lasts = rng.permutation(len(FIRST))[:people], rng.permutation(len(LAST))[:people]
        numbers = rng.permutation(9000)[:people] + 1000
        self.people = tuple(
            Person(f"{FIRST[a]} {LAST[b]}", f"555-{n}", f"{FIRST[a]}.{LAST[b]}@example.org".lower())
            for a, b, n in zip(firsts, lasts, numbers.tolist(), strict=True)
        )

    def draws(self, purpose: str) -> np.random.Generator:
        """Return a generator of its own for each purpose, so that apps do not change each other's draws."""
        return generator(seed_of("android world", self.seed, purpose))


def some(rng: np.random.Generator, choices: Sequence[T], count: int) -> list[T]:
    """Return `count` different ones, in a drawn order."""
    return [choices[i] for i in rng.permutation(len(choices))[:count].tolist()]


def colour_of(name: str) -> str:
    """Return the colour of somebody's disc."""
    return COLOURS[seed_of("colour", name) % len(COLOURS)]
