"""The universal suite passes a sound memory and fails each that breaks one of its promises, in words that help."""

from __future__ import annotations

import asyncio
import pickle
import random
from dataclasses import replace
from typing import ClassVar

import pytest
from pydantic import BaseModel

from simonides.sim.checks import Check, Report, Unmet, check_memory, render
from simonides.sim.codec import decode, encode, records_from_columns, records_to_columns
from simonides.sim.errors import StudyError, UnknownName, UserError
from simonides.sim.types import Card, Effect, Prepared, Recall, Recalled


class Gist(BaseModel):
    text: str


class Sound:
    """Keeps notes, asks for a gist of every four, counts recalls."""

    card: ClassVar[Card] = Card(
        "Sound", "tests", read_mutates=True, needs_model=("gist",), channels=("observation", "gist")
    )
    model_calls: ClassVar[dict[str, tuple[int, ...]]] = {"write": (0, 1), "read": (0,), "manage": (0,)}

    def __init__(self, every: int = 4) -> None:
        self.every = every
        self.notes: list = []
        self.written = 0

    async def prepare(self, experience, ctx):
        return Prepared(experience)

    async def write(self, prepared, ctx):
        self.notes.append(ctx.record(prepared.experience, data={"count": 0}))
        self.written += 1
        if self.written % self.every == 0:
            await self.fold(self.notes[-self.every :], ctx)

    async def fold(self, latest, ctx):
        reply = await ctx.model("gist", {"notes": [note.text for note in latest]}, Gist)
        if reply is not None:
            self.notes.append(self.gist(latest, reply.text, ctx))

    def gist(self, latest, text, ctx):
        return ctx.derive(latest, text, data={"count": 0}, channel="gist")

    async def read(self, query, ctx):
        words = set(query.text.split())
        scored = [(float(len(words & set(note.text.split()))), note) for note in self.notes]
        best = sorted(scored, key=lambda pair: (-pair[0], pair[1].id))[: 5 if query.k is None else query.k]
        items = tuple(Recalled(note.id, note.text, score, note.channel, note.time) for score, note in best)
        return Recall(items, tuple(Effect("count", item.record_id) for item in items))

    async def absorb(self, effects, ctx):
        named = [effect.record_id for effect in effects]
        self.notes = [
            replace(note, data={"count": note.data["count"] + 1}) if note.id in named else note for note in self.notes
        ]

    async def manage(self, ctx):
        pass

    async def forget(self, experience_ids, ctx):
        for note in [note for note in self.notes if experience_ids & set(note.origins)]:
            self.notes.remove(note)
            ctx.retire(note, "forgotten")
        return ()

    def records(self):
        return list(self.notes)

    def snapshot(self):
        return encode({"notes": records_to_columns(self.notes), "written": self.written})

    def restore(self, data):
        state = decode(data)
        self.notes, self.written = list(records_from_columns(state["notes"])), state["written"]


class DrawsFromTheGlobalGenerator(Sound):
    async def write(self, prepared, ctx):
        self.notes.append(ctx.record(prepared.experience, data={"count": random.random()}))


class ChangesOnRead(Sound):
    async def read(self, query, ctx):
        recall = await super().read(query, ctx)
        await self.absorb(recall.effects, ctx)
        return recall


class DropsEffects(Sound):
    async def absorb(self, effects, ctx):
        pass


class SharesItsNotes(Sound):
    everybodys: ClassVar[list] = []

    async def read(self, query, ctx):
        mine, self.notes = self.notes, self.everybodys
        self.everybodys.extend(note for note in mine if note not in self.everybodys)
        recall = await super().read(query, ctx)
        self.notes = mine
        return recall


class LosesNotesWithoutAGist(Sound):
    async def fold(self, latest, ctx):
        before = len(self.notes)
        await super().fold(latest, ctx)
        if len(self.notes) == before:
            del self.notes[-self.every :]


class RaisesOnAMalformedReply(Sound):
    async def fold(self, latest, ctx):
        reply = await ctx.model("gist", {"notes": [note.text for note in latest]}, Gist)
        self.notes.append(ctx.derive(latest, reply.text, data={"count": 0}, channel="gist"))


class NamesOneParent(Sound):
    def gist(self, latest, text, ctx):
        return ctx.derive(latest[-1:], text, data={"count": 0}, channel="gist")


class MakesItsOwnRecords(Sound):
    def gist(self, latest, text, ctx):
        return replace(latest[-1], id="0" * 31 + str(self.written % 10), text=text, channel="gist")


class ForgetsNotesButNotGists(Sound):
    async def forget(self, experience_ids, ctx):
        for note in [note for note in self.notes if note.channel != "gist" and note.origins[0] in experience_ids]:
            self.notes.remove(note)
            ctx.retire(note, "forgotten")
        return ()


class ForgetsTooMuch(Sound):
    async def forget(self, experience_ids, ctx):
        for note in self.notes:
            ctx.retire(note, "forgotten")
        self.notes = []
        return ()


class ForgetsSilently(Sound):
    async def forget(self, experience_ids, ctx):
        self.notes = [note for note in self.notes if experience_ids.isdisjoint(note.origins)]
        return ()


class DropsSilently(Sound):
    async def manage(self, ctx):
        self.notes = self.notes[-3:]


class PromisesMoreThanItForgets(Sound):
    async def forget(self, experience_ids, ctx):
        return sorted(experience_ids)


class AsksWhatItDoesNotDeclare(Sound):
    card = Card("Undeclared", "tests", read_mutates=True, channels=("observation", "gist"))


class AsksMoreOftenThanItStates(Sound):
    model_calls: ClassVar[dict[str, tuple[int, ...]]] = {"write": (0,)}


class CutsItsTexts(Sound):
    async def read(self, query, ctx):
        recall = await super().read(query, ctx)
        return recall._replace(items=tuple(item._replace(text=item.text[:20]) for item in recall.items))


class IgnoresK(Sound):
    async def read(self, query, ctx):
        return await super().read(replace(query, k=50), ctx)


class RecallsWorstFirst(Sound):
    async def read(self, query, ctx):
        recall = await super().read(query, ctx)
        return recall._replace(items=recall.items[::-1])


class RecallsWhatIsNotStored(Sound):
    def records(self):
        return self.notes[:3]


class RecallsNothing(Sound):
    async def read(self, query, ctx):
        return Recall()


class ForgetsItsCounter(Sound):
    def restore(self, data):
        super().restore(data)
        self.written = 0


class PicklesItsState(Sound):
    def snapshot(self):
        return encode({"notes": pickle.dumps(self.notes), "written": self.written})

    def restore(self, data):
        state = decode(data)
        self.notes, self.written = pickle.loads(state["notes"]), state["written"]  # noqa: S301


class SnapshotsAReference(Sound):
    kept: ClassVar[dict] = {}

    def snapshot(self):
        key = encode(str(id(self)))
        self.kept[key] = self
        return key

    def restore(self, data):
        self.notes, self.written = self.kept[data].notes, self.kept[data].written


class TakesAnySnapshot(Sound):
    def restore(self, data):
        try:
            super().restore(data)
        except Exception:
            self.notes = []


class NeedsANote(Sound):
    async def manage(self, ctx):
        self.notes[0]


class ReturnsAList(Sound):
    async def read(self, query, ctx):
        return []


class ScoresWithNaN(Sound):
    async def read(self, query, ctx):
        recall = await super().read(query, ctx)
        return recall._replace(items=tuple(item._replace(score=float("nan")) for item in recall.items))


BROKEN = [
    ("U1", DrawsFromTheGlobalGenerator, "ctx.rng"),
    ("U2", ChangesOnRead, "absorb()"),
    ("U2", DropsEffects, "absorb"),
    ("U3", SharesItsNotes, "no class attributes"),
    ("U4", LosesNotesWithoutAGist, "gist"),
    ("U4", RaisesOnAMalformedReply, "AttributeError"),
    ("U5", NamesOneParent, "as parents"),
    ("U5", MakesItsOwnRecords, "ctx.record"),
    ("U6", ForgetsNotesButNotGists, "origins"),
    ("U6", ForgetsTooMuch, "remove by origins only"),
    ("U5", DropsSilently, "ctx.retire"),
    ("U6", ForgetsSilently, "ctx.retire"),
    ("U6", PromisesMoreThanItForgets, "card.delete"),
    ("U7", AsksWhatItDoesNotDeclare, "card"),
    ("U7", AsksMoreOftenThanItStates, "model_calls"),
    ("U8", CutsItsTexts, "whole"),
    ("recall", IgnoresK, "query.k"),
    ("recall", RecallsWorstFirst, "best first"),
    ("recall", RecallsWhatIsNotStored, "records()"),
    ("recall", RecallsNothing, "nothing, ever"),
    ("recall", ReturnsAList, "Recall"),
    ("recall", ScoresWithNaN, "finite"),
    ("evict", ForgetsItsCounter, "snapshot()"),
    ("state", PicklesItsState, "codec"),
    ("state", SnapshotsAReference, "snapshot"),
    ("state", TakesAnySnapshot, "CorruptFile"),
    ("empty", NeedsANote, "IndexError"),
]


def failed(report: Report) -> dict[str, str]:
    return {finding.check: finding.message for finding in report.findings if not finding.passed}


def test_a_sound_memory_passes():
    report = check_memory(Sound)
    assert report.passed, render(report)
    assert [finding.check for finding in report.findings][:9] == ["shape", *(f"U{n}" for n in range(1, 9))]


@pytest.mark.parametrize(("check", "memory", "advice"), BROKEN, ids=[memory.__name__ for _, memory, _ in BROKEN])
def test_a_broken_memory_fails_the_check_that_names_its_fault(check, memory, advice):
    found = failed(check_memory(memory, only=[check]))
    assert check in found
    assert all(word in found[check] for word in ("expected:", "found:", "to do:", advice)), found[check]


def without(name: str) -> type:
    body = {key: value for key, value in vars(Sound).items() if key not in (name, "__dict__", "__weakref__")}
    return type(f"Without_{name}", (), body)


class ReadsAtOnce(Sound):
    def read(self, query, ctx):
        return Recall()


class WritesAlone(Sound):
    async def write(self, prepared):
        pass


@pytest.mark.parametrize(
    ("memory", "words"),
    [
        (without("forget"), "async def forget(self, experience_ids, ctx)"),
        (without("card"), "no card"),
        (ReadsAtOnce, "read is not asynchronous"),
        (WritesAlone, "write(prepared) does not take (prepared, ctx)"),
    ],
    ids=["a method is missing", "the card is missing", "a method is not asynchronous", "an argument is missing"],
)
def test_a_wrong_shape_is_told_before_anything_is_asked(memory, words):
    report = check_memory(memory)
    assert len(report.findings) == 1
    assert words in report.findings[0].message


class WithChecks(Sound):
    @staticmethod
    def checks():
        async def fine(subject):
            assert subject.make(every=9).every == 9

        async def wrong(subject):
            raise Unmet("a blue door", "a red one", "paint it")

        return [Check("a", "It can be built otherwise", fine), Check("b", "Its door is blue", wrong)]


def test_a_systems_own_checks_follow_the_universal_ones():
    report = check_memory(WithChecks, {"every": 3})
    assert failed(report) == {"b": "expected: a blue door\nfound: a red one\nto do: paint it"}
    assert [finding.check for finding in report.findings][-2:] == ["a", "b"]


def test_a_report_says_what_failed_and_what_to_do():
    text = render(check_memory(WithChecks, {"every": 3}))
    assert text.startswith(f"Memory {__name__}:WithChecks every=3\n")
    assert "  FAIL  b       Its door is blue\n" in text
    assert "to do: paint it" in text
    assert text.endswith("15 of 16 checks passed. 1 failed.")


HASHES = """
from simonides.sim.codec import encode
from simonides.sim.types import Card, Prepared, Recall

class Hashes:
    card = Card("Hashes", "tests")
    def __init__(self): self.seen = set()
    async def prepare(self, experience, ctx): return Prepared(experience)
    async def write(self, prepared, ctx): self.seen.add(prepared.experience.text)
    async def read(self, query, ctx): return Recall()
    async def absorb(self, effects, ctx): pass
    async def manage(self, ctx): pass
    async def forget(self, experience_ids, ctx): return ()
    def records(self): return []
    def snapshot(self): return encode(list(self.seen))
    def restore(self, data): pass
"""


def test_a_memory_that_depends_on_the_hash_of_texts_is_found_out_in_another_process(tmp_path, monkeypatch):
    (tmp_path / "hashes.py").write_text(HASHES)
    monkeypatch.syspath_prepend(tmp_path)
    found = failed(check_memory("hashes:Hashes", only=["U1", "hash"]))
    assert list(found) == ["hash"], "one process alone cannot tell"
    assert "sort sets" in found["hash"]


class MisplacedChecks(Sound):
    checks = "simonides.sim.checks.memory:nowhere"


def test_own_checks_that_cannot_be_found_are_the_authors_mistake():
    with pytest.raises(UserError, match="nowhere"):
        check_memory(MisplacedChecks)


def test_a_misspelt_memory_or_parameter_is_the_callers_mistake():
    with pytest.raises(UnknownName, match="window"):
        check_memory("windov")
    with pytest.raises(StudyError, match=r"params\.evry.*every"):
        check_memory(Sound, {"evry": 3})


class WaitsForEver(Sound):
    async def manage(self, ctx):
        await asyncio.Event().wait()


def test_a_memory_that_waits_for_ever_is_given_up(monkeypatch):
    monkeypatch.setattr("simonides.sim.checks.memory.PATIENCE", 0.3)
    assert "still waiting" in failed(check_memory(WaitsForEver, only=["empty"]))["empty"]


def test_the_suite_runs_where_a_loop_is_running_already():
    async def notebook():
        return check_memory(Sound)

    assert asyncio.run(notebook()).passed
