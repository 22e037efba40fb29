"""Defences at the doors of spaces: what they refuse, hold, redact, screen and purge, and one that breaks."""

import pytest
from toys import toy_study

from simonides.sim.config import parse_study
from simonides.sim.errors import StudyError
from simonides.sim.inline import run_inline
from simonides.sim.lineage import Lineage
from simonides.sim.rows import space_row, world_row
from simonides.sim.trace import SPACE, WORLD, Trace

LIE = {"kind": "plant", "tick": 2, "agent": "w0000/player_0", "text": "a lie"}
LARGE = {"name": "toys:ToyMemory", "capacity": 99, "forgets": False}


def ran(folder, defences, interventions=(LIE,), **fields):
    fields = {
        "worlds": 1,
        "memory": LARGE,
        "policy": {"name": "doors:Gossip", "how": "nothing"},
        "manage_every": 0,
        **fields,
    }
    study = toy_study(**fields, defences=defences, interventions=list(interventions))
    (trial,) = parse_study(study).trials()
    assert run_inline(trial, folder).errors == ()
    return Trace(folder)


def rulings(trace):
    return [(row.tick, r.door, r.verdict) for row in map(space_row, trace.of(SPACE)) for r in row.rulings]


def lies(trace, tick=99):
    lineage = Lineage.of(trace)
    held = [v.stored.id for v in lineage.content("global", tick) if v.text == "a lie"]
    return [lineage.versions[id][0].tick for id in held]


def test_what_is_refused_is_never_remembered(tmp_path):
    trace = ran(tmp_path, [{"name": "doors:Refuse", "word": "a lie"}])
    assert rulings(trace) == [(2, "admit", "refuse")]
    assert lies(trace) == []


def test_quarantine_is_left_for_the_memory_or_for_good(tmp_path):
    held = ran(tmp_path / "held", [{"name": "doors:Hold", "word": "a lie", "until": 5}])
    assert rulings(held) == [(2, "admit", "hold"), (5, "audit", "release")]
    assert lies(held, 5) == [] and lies(held) == [5]
    dropped = ran(tmp_path / "dropped", [{"name": "doors:Hold", "word": "a lie", "until": 5, "drop": True}])
    assert rulings(dropped)[-1] == (5, "audit", "drop")
    assert lies(dropped) == []


def test_what_is_screened_reaches_no_reader_and_stays_in_the_store(tmp_path):
    trace = ran(tmp_path, [{"name": "doors:Hide", "word": "lie"}])
    lineage = Lineage.of(trace)
    assert lies(trace) == [2]
    shown = {id for row in map(world_row, trace.of(WORLD)) for one in row.asked for id in one.ids}
    assert shown and not any("lie" in lineage.versions[id][-1].text for id in shown)
    left_out = {e.record_id for row in map(space_row, trace.of(SPACE)) for *_, effects in row.effects for e in effects
                if e.kind == "defence::screened"}  # fmt: skip
    assert {lineage.versions[id][-1].text for id in left_out} == {"a lie"}


def test_what_is_derived_is_trusted_as_its_worst_source(tmp_path):
    memory = {"name": "toys:ToyMemory", "capacity": 4, "forgets": False}
    trace = ran(tmp_path, [{"name": "doors:Distrust", "word": "a lie"}], memory=memory)
    lineage, trusts = Lineage.of(trace), {}
    for row in map(world_row, trace.of(WORLD)):
        for acted in row.actions.values():
            trusts |= dict(zip(acted.notes.get("used", ()), acted.notes.get("trust", ()), strict=True))
    bad = {id for id in trusts if not lineage.tainted.isdisjoint(lineage.versions[id][-1].stored.origins)}
    derived = {id for id in bad if lineage.versions[id][-1].stored.parents}
    planted = set(lineage.planted)
    assert derived, "no merged record was recalled"
    for id in bad:
        direct = planted & set(lineage.versions[id][-1].stored.origins)
        assert trusts[id] == (0.5 if direct else 1.0)


@pytest.mark.parametrize("errors", ["open", "closed"])
@pytest.mark.parametrize("door", ["admit", "screen", "audit"])
def test_a_defence_that_raises_fails_as_the_study_says_and_it_shows(tmp_path, door, errors):
    trace = ran(tmp_path, [{"name": "doors:Broken", "door": door}], defence_errors=errors)
    lineage = Lineage.of(trace)
    shown = [id for row in map(world_row, trace.of(WORLD)) for one in row.asked for id in one.ids]
    stopped = errors == "closed"
    assert bool(lineage.versions) == (door != "admit" or not stopped)
    assert bool(shown) == (door == "audit" or not stopped)
    if door == "screen":
        told = [e.data for row in map(space_row, trace.of(SPACE)) for *_, some in row.effects for e in some
                if e.kind == "defence::error"]  # fmt: skip
        assert told and told[0] == {"defence": "doors:Broken", "error": "RuntimeError"}
    else:
        assert {(d, v) for _, d, v in rulings(trace)} == {(door, "error")}


def test_defences_are_switched_at_a_tick(tmp_path):
    switch = {"kind": "defend", "tick": 4, "defences": [{"name": "doors:Refuse", "word": "said"}]}
    trace = ran(tmp_path, [], [LIE, switch])
    assert min(tick for tick, _, _ in rulings(trace)) == 4
    assert lies(trace) == [2]


def test_a_defence_that_nobody_knows_or_that_lacks_an_embedder_is_one_clear_line():
    with pytest.raises(StudyError, match=r"defences\.0"):
        parse_study(toy_study(defences=[{"name": "doors:Refuse"}]))


@pytest.mark.parametrize("how", ["note", "message"])
def test_lineage_follows_what_agents_say(tmp_path, how):
    private = {**LIE, "agent": "w0000/player_0"}
    trace = ran(tmp_path, [], [private], policy={"name": "doors:Gossip", "how": how}, wiring="private")
    lineage = Lineage.of(trace)
    (planted,) = lineage.planted
    told = [e for e in lineage.experiences.values() if e.heard]
    assert told and all(lineage.roots[e.id] == {planted} for e in told)
    holders = {vs[0].space for vs in lineage.versions.values() if planted in lineage.roots_of(vs[0].stored.id, 99)}
    assert holders == ({"w0000/player_0"} if how == "note" else {"w0000/player_0", "w0000/player_1"})
    if how == "message":
        assert {(e.agent, speaker) for e in told for speaker, _ in e.heard} == {
            ("player_1", "player_0"), ("player_0", "player_1"),
        }  # fmt: skip


def test_an_injected_text_is_marked_where_it_was_lived(tmp_path):
    inject = {"kind": "inject", "tick": 3, "agent": "w0000/player_1", "text": "a paper lie", "about": {"value": "lie"}}
    trace = ran(tmp_path, [], [inject], policy="toys:ToyPolicy", wiring="private")
    lineage = Lineage.of(trace)
    (item,) = lineage.items.values()
    assert (item.tick, item.world, item.planted.notes) == (3, "w0000", {"value": "lie"})
    (touched,) = lineage.tainted
    assert lineage.experiences[touched].agent == "player_1" and "a paper lie" in lineage.experiences[touched].text
    assert lineage.lived_at[touched] == ("w0000", 4)
    benign = ran(tmp_path / "b", [], [{**inject, "tainted": False}], policy="toys:ToyPolicy", wiring="private")
    assert Lineage.of(benign).tainted == frozenset() and len(Lineage.of(benign).roots) == 1


def test_an_attack_is_what_it_planned_and_ends_when_it_is_stopped(tmp_path):
    attack = {"kind": "attack", "tick": 1, "attack": {"name": "meddling:TwoDoors", "count": 6, "every": 2}}
    stop = {"kind": "stop", "tick": 5, "of": "meddling:TwoDoors"}
    whole = Lineage.of(ran(tmp_path / "1", [], [attack], policy="toys:ToyPolicy"))
    assert [item.tick for item in whole.items.values()] == [3, 7, 11, 1, 5, 9]
    stopped = Lineage.of(ran(tmp_path / "2", [], [attack, stop], policy="toys:ToyPolicy"))
    assert [item.tick for item in stopped.items.values()] == [3, 1]
    short = Lineage.of(ran(tmp_path / "3", [], [{**attack, "ticks": 3}], policy="toys:ToyPolicy"))
    assert [item.tick for item in short.items.values()] == [3, 1]
