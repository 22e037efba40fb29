"""Remember a diary of turns, daily summaries and portraits, whose entries fade with time and grow by being recalled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from simonides.memory_actors.systems.kept import KeptRecords
from simonides.memory_actors.systems.retrieval import VectorSearch
from simonides.memory_actors.systems.store import (
    fields_of,
    last,
    passing,
    recalled,
)
from simonides.sim.protocols import MemoryContext
from simonides.sim.render import date_of
from simonides.sim.types import Card, Effect, Experience, Plain, Prepared, Query, Recall, Recalled, Record

DAY = 86400.0
SUMMARY, PORTRAIT = "day_summary", "day_personality"
HISTORY, PERSONALITY = "overall_history", "overall_personality"
RECENT = "recent"
DERIVED = (SUMMARY, PORTRAIT, HISTORY, PERSONALITY)


class Text(BaseModel):
    """The reply to every question of MemoryBank: a summary or a portrait."""

    text: str = Field(min_length=1)


def retention(time: float, strength: float, compat: Literal["repo"] | None = None) -> float:
    """Return the share that is retained: exp(-time / strength), Ebbinghaus' curve as the paper gives it.

    `compat="repo"` is exp(-(time / 5) * strength): in the public code the division binds first, so that a stronger
    entry fades faster.
    """
    time = max(time, 0.0)
    return math.exp(-(time / 5.0) * strength) if compat == "repo" else math.exp(-time / strength)


class MemoryBank(KeptRecords):
    """The diary of Zhong et al., *MemoryBank* (AAAI 2024, arXiv 2305.10250; MemoryBank-SiliconFriend).

    A turn has strength 1 when written and one more with each recall, which also sets its clock back. At `forget_on`
    each turn is kept when a uniform draw is at most its retention; `forgetting="threshold"` keeps it when retention is
    at least `threshold` instead (as G-Memory's variant does), "off" always. A date that lost all its turns loses its
    summary and portrait too. Time is simulated time since the last recall in units of `unit_days`: the original leaves
    the unit open, and with days nearly nothing outlives sessions that are weeks apart, as LoCoMo's are. A turn is tried
    again at each session's end, as at each load in the original, so the chances multiply.

    When managed, each date without one gets a summary (`mb.day_summary`) and a portrait (`mb.day_personality`); when
    there are new ones, the overall ones are made anew from all that are left (`mb.overall_summary`,
    `mb.overall_personality`) and never fade. After an unusable reply nothing is changed, and the question is asked
    again when managed next.

    A query recalls the `k` nearest among turns and summaries, then shows the overall portrait, the overall history and
    the last `recent` turns, whatever the query and its k say (channels in `standing`). Neighbouring turns of a date are
    found as one while they have at most `chunk` characters together; 0 finds each alone.

    `compat="repo"` takes the public code's retention, and summaries are not strengthened by recall.
    """

    card: ClassVar[Card] = Card(
        "MemoryBank",
        "Zhong et al. 2024, arXiv 2305.10250; zhongwanjun/MemoryBank-SiliconFriend",
        frozenset({"dialogue", "forgetting"}),
        read_mutates=True,
        needs_model=("mb.day_summary", "mb.day_personality", "mb.overall_summary", "mb.overall_personality"),
        needs_embedder=True,
        channels=("observation", *DERIVED, RECENT),
    )
    standing: ClassVar[tuple[str, ...]] = (PERSONALITY, HISTORY, RECENT)
    model_calls: ClassVar[dict[str, Sequence[int]]] = {"write": (0,), "read": (0,)}
    checks: ClassVar[str] = "simonides.memory_actors.systems.dialogue.memorybank_checks:checks"

    def __init__(
        self,
        k: Annotated[int, Field(ge=1)] = 6,
        recent: Annotated[int, Field(ge=0)] = 3,
        chunk: Annotated[int, Field(ge=0)] = 200,
        forgetting: Literal["sampled", "threshold", "off"] = "sampled",
        threshold: Annotated[float, Field(ge=0.0, le=1.0)] = 0.3,
        forget_on: Literal["session_end", "manage"] = "session_end",
        unit_days: Annotated[float, Field(gt=0.0)] = 1.0,
        index: str = "arena",
        index_params: dict[str, Plain] | None = None,
        compat: Literal["repo"] | None = None,
    ) -> None:
        self.k, self.recent, self.chunk = k, recent, chunk
        self.forgetting, self.threshold, self.forget_on = forgetting, threshold, forget_on
        self.unit = unit_days * DAY
        self.index, self.index_params = index, index_params or {}
        self.compat = compat
        super().__init__()
        self._chunks: dict[str, list[str]] = {}
        self._search: VectorSearch | None = None

    # --- writing -----------------------------------------------------------------------------------------------------

    async def prepare(self, experience: Experience, ctx: MemoryContext) -> Prepared:
        """Embed the turn with its date before it."""
        text = f"{date_of(experience.time)} {experience.text}"
        return Prepared(experience, (await ctx.embed([text]))[0])

    async def write(self, prepared: Prepared, ctx: MemoryContext) -> None:
        """Append the turn to its date; it joins the last chunk of that date if there is room."""
        said = prepared.experience
        turn = ctx.record(said, data={"strength": 1, "recalled": said.time, "head": ""})
        head = self._joined(turn)
        if head is None:
            self._put(replace(turn, vector=prepared.vector))
            self._chunks[turn.id] = [turn.id]
        else:
            self._put(replace(turn, data={**turn.data, "head": head.id}))
            await self._embed_chunk([*self._members(head), turn], ctx)

    def _joined(self, turn: Record) -> Record | None:
        """Return the head of the chunk that a new turn joins: the last one, on the same date, while there is room."""
        before = next((record for record in reversed(self._records) if record.channel not in DERIVED), None)
        if not self.chunk or before is None or date_of(before.time) != date_of(turn.time):
            return None
        head = self._head(before)
        size = sum(len(member.text) for member in self._members(head)) + len(turn.text)
        return head if size <= self.chunk else None

    def _head(self, turn: Record) -> Record:
        return self._records[turn.data["head"]] if turn.data["head"] else turn

    def _members(self, head: Record) -> list[Record]:
        """Return the turns of a chunk, oldest first: its head, which carries the vector, and those that joined it."""
        return [self._records[member] for member in self._chunks[head.id]]

    async def _embed_chunk(self, members: Sequence[Record], ctx: MemoryContext) -> None:
        """Make the first of these turns the head of the others, with the vector of all their words."""
        text = "\n".join([date_of(members[0].time), *(member.text for member in members)])
        vector = (await ctx.embed([text]))[0]
        head = replace(members[0], vector=vector, data={**members[0].data, "head": ""})
        self._put(head)
        self._chunks[head.id] = [member.id for member in members]
        for member in members[1:]:
            self._put(replace(member, vector=None, data={**member.data, "head": head.id}))

    def _put(self, record: Record) -> None:
        self._records.put(record)
        if self._search is None or record.channel in (PORTRAIT, HISTORY, PERSONALITY):
            return
        if record.vector is None:
            self._search.remove([record.id])
        else:
            self._search.put([record.id], [record.vector], [fields_of(record)])

    # --- views -------------------------------------------------------------------------------------------------------

    def _turns(self) -> list[Record]:
        return [record for record in self._records if record.channel not in DERIVED]

    def _derived(self, channel: str) -> list[Record]:
        return [record for record in self._records if record.channel == channel]

    def _dates(self) -> dict[str, list[Record]]:
        dates: dict[str, list[Record]] = {}
        for turn in self._turns():
            dates.setdefault(date_of(turn.time), []).append(turn)
        return dict(sorted(dates.items()))

    # --- reading -----------------------------------------------------------------------------------------------------

    def _index(self) -> VectorSearch:
        if self._search is None:  # made by the first read, so that a memory which only writes pays nothing
            self._search = VectorSearch(self.index, self.index_params)
            for record in self._records:
                self._put(record)
        return self._search

    async def read(self, query: Query, ctx: MemoryContext) -> Recall:
        """Return the k nearest turns and summaries, then what is always shown; recalls strengthen, as effects."""
        k = max(self.k if query.k is None else query.k, 0)
        vector = (await ctx.embed([query.text]))[0]
        wanted = passing(query.filter)
        found: list[tuple[Record, float]] = []
        for item, score in self._index().search(vector, len(self._records) if query.filter else k):
            hit = self._records[item]
            chunk = [hit] if hit.channel in DERIVED else self._members(hit)
            found += [(record, score) for record in chunk if wanted(record)]
        found = found[:k]
        grown = [record for record, _ in found if self.compat != "repo" or record.channel != SUMMARY]
        shown = [self._shown(record, score) for record, score in found]
        standing = self._standing({record.id for record, _ in found})
        return Recall((*shown, *standing), tuple(Effect("recalled", record.id) for record in grown))

    def _shown(self, record: Record, score: float, channel: str | None = None) -> Recalled:
        item = recalled(record, score)
        time = datetime.fromisoformat(f"{record.data['date']}T00:00+00:00").timestamp() if _dated(record) else item.time
        return item._replace(time=time, channel=channel or item.channel)

    def _standing(self, found: set[str]) -> list[Recalled]:
        overall = [*self._derived(PERSONALITY), *self._derived(HISTORY)]
        recent = [turn for turn in last(self._turns(), self.recent) if turn.id not in found]
        return [self._shown(record, 0.0) for record in overall] + [self._shown(turn, 0.0, RECENT) for turn in recent]

    async def absorb(self, effects: Sequence[Effect], ctx: MemoryContext) -> None:
        """Strengthen what was recalled by one, and set its clock back."""
        for effect in effects:
            if effect.record_id in self._records:
                data = self._records[effect.record_id].data
                later = max(ctx.time, data["recalled"])
                self._records.note(effect.record_id, strength=data["strength"] + 1, recalled=later)

    # --- managing ----------------------------------------------------------------------------------------------------

    async def manage(self, ctx: MemoryContext) -> None:
        """Forget what has faded, then write the diary up."""
        if self.forget_on == "manage" or ctx.cause == "session_end":
            await self._remove(self._faded(ctx), ctx, "faded")
            self._drop_empty_dates(ctx)
        await self._consolidate(ctx)

    def _faded(self, ctx: MemoryContext) -> list[Record]:
        turns = self._turns()
        if self.forgetting == "off" or not turns:
            return []
        share = [retention((ctx.time - t.data["recalled"]) / self.unit, t.data["strength"], self.compat) for t in turns]
        sampled = self.forgetting == "sampled"
        floor = ctx.rng.random(len(turns)).tolist() if sampled else [self.threshold] * len(turns)
        return [turn for turn, kept, least in zip(turns, share, floor, strict=True) if kept < least]

    async def _remove(self, gone: Sequence[Record], ctx: MemoryContext, reason: str) -> None:
        """Drop records; what is left of a chunk is embedded again, so that its vector does not remember them."""
        ids = {record.id for record in gone}
        heads = {self._head(turn).id: self._head(turn) for turn in gone if turn.channel not in DERIVED}
        rests = [[turn for turn in self._members(head) if turn.id not in ids] for head in heads.values()]
        for head_id in heads:
            del self._chunks[head_id]
        self._records.remove(gone, ctx, reason)
        if self._search:
            self._search.remove(sorted(ids))
        for rest in filter(None, rests):
            await self._embed_chunk(rest, ctx)

    def _drop_empty_dates(self, ctx: MemoryContext) -> None:
        dates = self._dates()
        empty = [r for r in (*self._derived(SUMMARY), *self._derived(PORTRAIT)) if r.data["date"] not in dates]
        self._records.remove(empty, ctx, "its date is empty")
        if self._search:
            self._search.remove([record.id for record in empty])

    async def _consolidate(self, ctx: MemoryContext) -> None:
        written = {(record.channel, record.data["date"]) for record in self._records if _dated(record)}
        for date, turns in self._dates().items():
            for purpose, channel in (("mb.day_summary", SUMMARY), ("mb.day_personality", PORTRAIT)):
                if (channel, date) not in written:
                    await self._daily(purpose, channel, date, turns, ctx)
        await self._overall("mb.overall_summary", HISTORY, SUMMARY, ctx)
        await self._overall("mb.overall_personality", PERSONALITY, PORTRAIT, ctx)

    async def _daily(self, purpose: str, channel: str, date: str, turns: Sequence[Record], ctx: MemoryContext) -> None:
        reply = await ctx.model(purpose, {"date": date, "turns": [turn.text for turn in turns]}, Text)
        if reply is None:
            return
        vector = (await ctx.embed([f"{date} {reply.text}"]))[0] if channel == SUMMARY else None
        data = {"date": date, "strength": 1, "recalled": ctx.time}
        self._put(ctx.derive(turns, reply.text, vector=vector, data=data, channel=channel))

    async def _overall(self, purpose: str, channel: str, daily: str, ctx: MemoryContext) -> None:
        """Make the overall text anew when a day came in that it was not made from."""
        days = sorted(self._derived(daily), key=lambda record: record.data["date"])
        before = self._derived(channel)
        known = {parent for record in before for parent in record.parents}
        if all(day.id in known for day in days):
            return
        inputs = {"days": [{"date": day.data["date"], "text": day.text} for day in days]}
        reply = await ctx.model(purpose, inputs, Text)
        if reply is not None:
            self._records.remove(before, ctx, "superseded")
            self._records.put(ctx.derive(days, reply.text, channel=channel))

    async def forget(self, experience_ids: frozenset[str], ctx: MemoryContext) -> Sequence[str]:
        """Remove the turns, and every summary and portrait that descends from them; they are made anew when managed."""
        gone = [record for record in self._records if not experience_ids.isdisjoint(record.origins)]
        await self._remove(gone, ctx, "forgotten on request")
        self._drop_empty_dates(ctx)
        return ()

    # --- state -------------------------------------------------------------------------------------------------------

    def _restored(self, state: Mapping[str, Plain]) -> None:
        self._search = None
        self._chunks = {}
        for turn in self._turns():
            self._chunks.setdefault(turn.data["head"] or turn.id, []).append(turn.id)


def _dated(record: Record) -> bool:
    return record.channel in (SUMMARY, PORTRAIT) and bool(record.data["date"])
