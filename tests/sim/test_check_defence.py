"""The suite passes a sound defence and fails each that breaks one of its promises, in words that help."""

from __future__ import annotations

import pickle
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel

from simonides.experiments.cli import main
from simonides.sim.checks import check_defence, render
from simonides.sim.checks.defence import UNIVERSAL
from simonides.sim.codec import decode, encode
from simonides.sim.defences import Admission, Audit, DefenceCard, Screening
from simonides.sim.errors import StudyError, UnknownName
from simonides.sim.registry import BUILTINS
from simonides.sim.types import Effect

GUIDE = Path(__file__).parents[2] / "docs" / "write-a-defence.md"
QUICK = [check.name for check in UNIVERSAL if check.name != "hash"]


class Sound:
    """Holds messages for two ticks, asks a model about orders, and remembers what was asked."""

    card: ClassVar[DefenceCard] = DefenceCard("Sound", "tests", ("admit", "screen", "audit"), needs_model=("order",))

    def __init__(self) -> None:
        self.asked: list = []
        self.since: dict = {}

    async def admit(self, experience, ctx):
        if experience.channel == "message":
            self.since[experience.id] = ctx.tick
            return Admission("hold", "a message")
        if experience.text.startswith("Rule"):
            reply = await ctx.model("order", {"text": experience.text}, Order)
            return Admission("refuse") if reply is not None and reply.order else Admission(trust=0.5)
        return Admission()

    async def screen(self, query, items, ctx):
        return Screening(tuple(items[:3]), (Effect("asked", "", {"text": query.text}),))

    async def absorb(self, effects, ctx):
        self.asked += [effect.data["text"] for effect in effects]

    async def audit(self, ctx):
        due = tuple(sorted(one.id for one in ctx.held if ctx.tick - self.since.get(one.id, ctx.tick) >= 2))
        return Audit(release=due)

    def snapshot(self):
        return encode({"asked": self.asked, "since": self.since})

    def restore(self, data):
        state = decode(data)
        self.asked, self.since = list(state["asked"]), dict(state["since"])


class Order(BaseModel):
    order: bool


class DrawsFromTheGlobalGenerator(Sound):
    async def admit(self, experience, ctx):
        return Admission(trust=random.random())


class ChangesOnRead(Sound):
    async def screen(self, query, items, ctx):
        self.asked.append(query.text)
        return Screening(tuple(items))


class AddsAnItem(Sound):
    async def screen(self, query, items, ctx):
        return Screening((*items, *(item._replace(record_id="f" * 32) for item in items[:1])))


class Rewords(Sound):
    async def screen(self, query, items, ctx):
        return Screening(tuple(item._replace(text="(removed)") for item in items))


class TrustsTooMuch(Sound):
    async def admit(self, experience, ctx):
        return Admission(trust=2.0)


class DoubtsInWords(Sound):
    async def admit(self, experience, ctx):
        return Admission("perhaps")


class SwapsTheExperience(Sound):
    async def admit(self, experience, ctx):
        return Admission(experience=replace(experience, id="0" * 32))


class ReleasesWhatIsNotHeld(Sound):
    async def audit(self, ctx):
        return Audit(release=("0" * 32,))


class PurgesRecords(Sound):
    async def audit(self, ctx):
        return Audit(purge=tuple(record.id for record in ctx.records()[:1]))


class ExpectsToHaveSeenAll(Sound):
    async def screen(self, query, items, ctx):
        return Screening(tuple(item for item in items if ctx.record(item.record_id).origins))


class SharesWhatWasAsked(Sound):
    everybodys: ClassVar[list] = []

    async def absorb(self, effects, ctx):
        self.everybodys += [effect.data["text"] for effect in effects]
        self.asked = list(self.everybodys)


class AsksInSecret(Sound):
    card: ClassVar[DefenceCard] = DefenceCard("Secret", "tests", ("admit", "screen", "audit"))


class EmbedsInSecret(Sound):
    async def screen(self, query, items, ctx):
        await ctx.embed([query.text])
        return Screening(tuple(items))


class TrustsTheReply(Sound):
    async def admit(self, experience, ctx):
        reply = await ctx.model("order", {"text": experience.text}, Order)
        return Admission("refuse" if reply.order else "admit")


class ForgetsWhenPacked(Sound):
    def snapshot(self):
        return encode({"asked": self.asked, "since": {}})


class Pickles(Sound):
    def snapshot(self):
        return pickle.dumps((self.asked, self.since))

    def restore(self, data):
        self.asked, self.since = pickle.loads(data)  # noqa: S301


class TakesAnything(Sound):
    def restore(self, data):
        if data[:1] != b"\xc1":
            super().restore(data)


class NeedsAnItem(Sound):
    async def screen(self, query, items, ctx):
        return Screening(tuple(items), (Effect("best", items[0].record_id),))


BROKEN = [
    (DrawsFromTheGlobalGenerator, "D1", "ctx.rng"),
    (ChangesOnRead, "D2", "absorb"),
    (AddsAnItem, "D3", "leave items out"),
    (Rewords, "D3", "item._replace"),
    (TrustsTooMuch, "D3", "a trust from 0 to 1"),
    (DoubtsInWords, "D3", "perhaps"),
    (SwapsTheExperience, "D3", "dataclasses.replace"),
    (ReleasesWhatIsNotHeld, "D3", "ctx.held"),
    (PurgesRecords, "D3", "record.origins"),
    (ExpectsToHaveSeenAll, "D4", "test_check_defence.py"),
    (SharesWhatWasAsked, "D5", "keep all state on self"),
    (AsksInSecret, "D6", "add them to the card"),
    (EmbedsInSecret, "D6", "correct the card"),
    (TrustsTheReply, "D7", "test_check_defence.py"),
    (ForgetsWhenPacked, "evict", "snapshot()"),
    (Pickles, "state", "codec.encode"),
    (TakesAnything, "state", "CorruptFile"),
    (NeedsAnItem, "empty", "test_check_defence.py"),
]


def test_a_sound_defence_passes():
    report = check_defence(Sound)
    assert report.passed, render(report)
    assert len(report.findings) == 1 + len(UNIVERSAL)


@pytest.mark.parametrize(("defence", "check", "advice"), BROKEN, ids=[one[0].__name__ for one in BROKEN])
def test_each_broken_promise_is_found_and_said(defence, check, advice):
    report = check_defence(defence, only=[check])
    (told,) = [finding.message for finding in report.findings if not finding.passed]
    assert all(word in told for word in ("expected:", "found:", "to do:", advice)), told


def without(name: str) -> type:
    body = {key: value for key, value in vars(Sound).items() if key not in (name, "__dict__", "__weakref__")}
    return type(f"Without_{name}", (), body)


class ScreensAtOnce(Sound):
    def screen(self, query, items, ctx):
        return Screening(tuple(items))


class AdmitsAlone(Sound):
    async def admit(self, experience):
        return Admission()


class StandsNowhere(Sound):
    card: ClassVar[DefenceCard] = DefenceCard("Nowhere", "tests", ())


@pytest.mark.parametrize(
    ("defence", "words"),
    [
        (without("audit"), "async def audit(self, ctx)"),
        (without("card"), "no card"),
        (ScreensAtOnce, "screen()"),
        (AdmitsAlone, "admit(experience, ctx)"),
        (StandsNowhere, "one at least"),
    ],
    ids=["a method is missing", "the card is missing", "not asynchronous", "an argument is missing", "no door"],
)
def test_a_wrong_shape_is_told_before_anything_is_asked(defence, words):
    report = check_defence(defence)
    assert len(report.findings) == 1
    assert words in report.findings[0].message


@pytest.mark.parametrize("name", sorted(BUILTINS["defence"]))
def test_a_built_in_defence_passes(name):
    report = check_defence(name, only=QUICK)
    assert report.passed, render(report)


VARIANTS = [
    ("lineage-trust", {"threshold": 0.0}),
    ("corroboration", {"same": 0.8, "conflicts": True, "outside": "channel"}),
    ("corroboration", {"grammar": "simonides.envs.claims.wording:GRAMMAR"}),
    ("quarantine", {"patience": 3, "limit": 5}),
    ("trust-decay", {"write": 0.6, "read": 0.6, "half_life": 0.01}),
    ("embedding-anomaly", {"warmup": 2, "history": 4, "kappa": 0.0, "verdict": "hold", "flagged": "label"}),
    ("purge-by-origin", {"at": 5, "channels": ["message"], "observers": 2}),
]


@pytest.mark.parametrize(("name", "params"), VARIANTS, ids=[f"{name} {params}" for name, params in VARIANTS])
def test_it_passes_with_other_parameters(name, params):
    report = check_defence(name, params, only=QUICK)
    assert report.passed, render(report)


def test_one_rules_the_same_in_another_process():
    assert check_defence("corroboration", only=["hash"]).passed


def test_a_wrong_name_or_parameter_is_the_callers_mistake():
    with pytest.raises(UnknownName, match="Did you mean 'corroboration'"):
        check_defence("corroboraton")
    with pytest.raises(StudyError, match="identities"):
        check_defence("corroboration", {"identities": 0})


def test_the_command_tells_a_misspelt_defence_in_one_line(capsys):
    assert main(["check", "defence", "quarantin"]) == 2
    assert "Did you mean 'quarantine'" in capsys.readouterr().err


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_defence_of_the_guide_passes_the_suite_and_prints_its_report(capsys):
    defence, check, own = blocks()
    names = {"__name__": "guide"}
    exec(compile(defence + check, str(GUIDE), "exec"), names)
    assert "11 of 11 checks passed." in capsys.readouterr().out
    exec(compile(own, str(GUIDE), "exec"), names)
    names["SleepOnIt"].checks = names["checks"]
    report = check_defence(names["SleepOnIt"], only=["waits"])
    assert report.passed, render(report)
    assert report.findings[-1].check == "waits"


def test_the_guide_lists_every_universal_check():
    text = GUIDE.read_text(encoding="utf-8")
    assert all(f"| {check.name} |" in text for check in UNIVERSAL)
