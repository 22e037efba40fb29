"""A diary that is found again by its keywords, with a table of contents for each session.

A third-party memory system: it fits `simonides.sim.protocols.MemorySystem` by having its methods, and takes from
Simonides only the values that cross the border and the codec.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from simonides.sim.codec import decode, encode, records_from_columns, records_to_columns
from simonides.sim.protocols import MemoryContext
from simonides.sim.types import Card, Effect, Experience, Prepared, Query, Recall, Recalled, Record


def keywords(text: str, length: int) -> list[str]:
    """Return the words of a text that have at least `length` letters, sorted, each once."""
    return sorted({word for word in re.findall(r"\w+", text.lower()) if len(word) >= length})


class KeywordDiary:
    """Entries with their keywords; at the end of each session a page that lists what it was most about."""

    card: ClassVar[Card] = Card(
        "Keyword diary", "an example package", frozenset({"example"}), channels=("observation", "contents")
    )
    model_calls: ClassVar[dict[str, int]] = {"write": 0, "read": 0, "manage": 0}
    checks: ClassVar[str] = "keyword_diary.checks:checks"

    def __init__(self, k: Annotated[int, Field(ge=1)] = 5, length: Annotated[int, Field(ge=1)] = 5) -> None:
        self.k = k
        self.length = length
        self._pages: list[Record] = []

    async def prepare(self, experience: Experience, ctx: MemoryContext) -> Prepared:
        """Find the keywords."""
        return Prepared(experience, data={"keywords": keywords(experience.text, self.length)})

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Add an entry."""
        data = {"keywords": prepared.data["keywords"], "open": True}
        self._pages.append(ctx.record(prepared.experience, data=data))

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the pages that share most keywords with the query."""
        wanted = set(keywords(query.text, self.length))
        scored = [(float(len(wanted & set(page.data["keywords"]))), page) for page in self._pages]
        best = sorted((pair for pair in scored if pair[0]), key=lambda pair: (-pair[0], pair[1].id))
        shown = best[: self.k if query.k is None else query.k]
        return Recall(tuple(Recalled(page.id, page.text, score, page.channel, page.time) for score, page in shown))

    async def absorb(self, effects: Sequence[Effect], ctx: MemoryContext) -> None:
        """Reading leaves nothing behind."""

    async def manage(self, ctx: MemoryContext) -> None:
        """At a session's end, list its five most frequent keywords on a page of contents."""
        entries = [page for page in self._pages if page.data["open"]]
        if ctx.cause != "session_end" or not entries:
            return
        counts = Counter(word for entry in entries for word in entry.data["keywords"])
        words = sorted(counts, key=lambda word: (-counts[word], word))[:5]
        closed = [ctx.revise(entry, data={**entry.data, "open": False}) for entry in entries]
        rest = [page for page in self._pages if not page.data["open"]]
        data = {"keywords": words, "open": False}
        contents = ctx.derive(closed, f"We spoke of {', '.join(words)}.", data=data, channel="contents")
        self._pages = [*rest, *closed, contents]

    async def forget(self, experience_ids: frozenset[str], ctx: MemoryContext) -> Sequence[str]:
        """Tear out every page that descends from these experiences."""
        for page in [page for page in self._pages if not experience_ids.isdisjoint(page.origins)]:
            self._pages.remove(page)
            ctx.retire(page, "forgotten on request")
        return ()

    def records(self) -> Sequence[Record]:
        """Return the pages in order."""
        return tuple(self._pages)

    def snapshot(self) -> bytes:
        """Return the pages as columns."""
        return encode(records_to_columns(self._pages))

    def restore(self, data: bytes) -> None:
        """Replace the pages."""
        self._pages = records_from_columns(decode(data))
