"""Interventions do what they say at their tick, and the same in every layout, restarted or with packed spaces."""

import itertools

import pytest
from meddling import EVERYTHING, MIXED, ONE, TELLING, rows
from toys import toy_study

from simonides.sim.config import Layout, parse_study
from simonides.sim.errors import UserError
from simonides.sim.inline import run_inline
from simonides.sim.lineage import Lineage
from simonides.sim.rows import space_row, world_row
from simonides.sim.trace import SPACE, WORLD, Trace

LAYOUTS = [
    {"world_actors": w, "memory_actors": m, "private": p, "memory_budget": b}
    for (w, m), p, b in itertools.product([(1, 1), (3, 2)], ["colocated", "actors"], [None, 0])
]


def ran(folder, interventions, layout=None, **fields):
    (trial,) = parse_study(toy_study(**{"wiring": MIXED, **fields}, interventions=interventions)).trials()
    outcome = run_inline(trial, folder, Layout(**(layout or {})))
    assert outcome.errors == ()
    return Trace(folder)


def begun(trace):
    """Return (part, kind) -> tick of what began."""
    found = {}
    for row in itertools.chain(map(space_row, trace.of(SPACE)), map(world_row, trace.of(WORLD))):
        for one in row.changed:
            found.setdefault((getattr(row, "space", None) or row.world, one.kind), []).append(row.tick)
    return found


@pytest.mark.parametrize("joins", [[], [0, 3, 0]])
def test_every_intervention_at_once_gives_one_digest_in_every_layout(tmp_path, joins):
    found = set()
    for i, layout in enumerate(LAYOUTS):
        trace = ran(tmp_path / str(i), EVERYTHING, layout, joins=joins, policy=TELLING)
        found.add(trace.digest())
    assert len(found) == 1
    kinds = {kind for _, kind in begun(trace)}
    assert kinds == {one["kind"] for one in EVERYTHING} - {"attack"} | {"decided", "touched"}


def test_a_wipe_empties_a_space_for_the_readers_of_the_next_tick(tmp_path):
    trace = ran(tmp_path, [{"kind": "wipe", "tick": 4, "space": "global"}], worlds=1)
    lineage = Lineage.of(trace)
    assert lineage.content("global", 4)
    assert {v.tick for v in lineage.content("global", 5)} == {4}
    ended = [v.reason for vs in lineage.versions.values() for v in vs if v.until == 4 and v.space == "global"]
    assert ended.count("wiped") == len(lineage.content("global", 4))


def test_a_purge_forgets_what_one_agent_wrote_in_a_span_of_ticks(tmp_path):
    purge = {"kind": "purge", "tick": 6, "writer": "w0000/player_1", "since": 2, "until": 3}
    trace = ran(tmp_path, [purge], worlds=1, memory={"name": "toys:ToyMemory", "capacity": 99, "forgets": False})
    (row,) = [row for row in rows(trace, "global") if row.tick == 6]
    (done,) = row.changed
    assert (done.kind, done.details["chosen"], done.details["incomplete"]) == ("purge", 2, [])
    gone = next(op for op in row.operations if op.kind == "purge").retired
    assert len(gone) == 2


def test_what_a_memory_cannot_forget_is_recorded(tmp_path):
    plant = {"kind": "plant", "tick": 1, "space": "global", "text": "a lie"}
    purge = {"kind": "purge", "tick": 3, "origins": "planted"}
    trace = ran(tmp_path, [plant, purge], memory="rogues:Stubborn", worlds=1, wiring="global")
    (row,) = [row for row in rows(trace, "global") if any(c.kind == "purge" for c in row.changed)]
    (planted,) = [p.id for r in rows(trace, "global") for p in r.planted]
    (told,) = [c.details for c in row.changed if c.kind == "purge"]
    assert told == {"chosen": 1, "incomplete": [planted]}


def test_rewiring_changes_who_writes_at_once_and_who_reads_at_the_next_tick(tmp_path):
    trace = ran(tmp_path, [{"kind": "rewire", "tick": 5, "wiring": "private"}], wiring="global")
    written = {
        name: {row.tick for row in rows(trace, name) for op in row.operations if op.kind == "write"}
        for name in ("global", ONE)
    }
    assert max(written["global"]) == 4 and min(written[ONE]) == 5
    assert not any(row.refusals for row in map(world_row, trace.of(WORLD)))
    holder = {id: vs[0].space for id, vs in Lineage.of(trace).versions.items()}
    read = {
        row.tick: {holder[i] for one in row.asked if one.agent == "player_0" for i in one.ids}
        for row in map(world_row, trace.of(WORLD, "w0000"))
    }
    assert read[5] == {"global"} and all(read[t] <= {ONE} for t in read if t > 5) and read[8] == {ONE}


def test_a_cut_link_loses_writes_and_answers_nothing_for_its_span(tmp_path):
    cut = {"kind": "cut", "tick": 3, "agent": ONE, "space": "global", "ticks": 4}
    policy = {"name": "toys:ToyPolicy", "hops": False}
    trace = ran(tmp_path, [cut], worlds=1, wiring="global", policy=policy)
    told = {
        row.tick: {right for _, agent, right in row.refusals if agent == "player_0"}
        for row in map(world_row, trace.of(WORLD))
    }
    assert [tick for tick, rights in told.items() if "cut write" in rights] == [
        4,
        5,
        6,
    ]  # told one tick later; a probe at 6 writes nothing
    writes = {row.tick for row in rows(trace, "global") for op in row.operations
              if op.kind == "write" and op.agent == "player_0"}  # fmt: skip
    assert writes.isdisjoint({3, 4, 5, 6}) and {2, 7} <= writes
    asked = {row.tick: [one for one in row.asked if one.agent == "player_0"] for row in map(world_row, trace.of(WORLD))}
    assert all(not one.ids and "is cut" in one.refused for tick in (4, 5, 7) for one in asked[tick])
    assert all(one.ids for one in asked[8])


def test_a_delayed_link_applies_writes_late_and_loses_none(tmp_path):
    delay = {"kind": "delay", "tick": 2, "agent": ONE, "space": "global", "by": 3, "ticks": 4}
    trace = ran(tmp_path, [delay], worlds=1, wiring="global")
    at = {}
    for row in rows(trace, "global"):
        for op in row.operations:
            if op.kind == "write" and op.agent == "player_0":
                at[op.experience] = row.tick
    lived = {
        e.id: row.tick for row in map(world_row, trace.of(WORLD)) for e in row.experiences if e.agent == "player_0"
    }
    assert {lived[e]: tick - lived[e] for e, tick in at.items()} == {t: 3 if 2 <= t < 6 else 0 for t in lived.values()}


def test_a_condition_that_holds_at_a_tick_is_effective_at_the_next(tmp_path):
    when = {"space": "global", "records": 4}
    trace = ran(tmp_path, [{"kind": "wipe", "when": when, "space": ONE}], worlds=3)
    lineage = Lineage.of(trace)
    first = next(t for t in range(20) if len(lineage.content("global", t)) >= 4)
    found = begun(trace)
    assert found[ONE, "wipe"] == [first + 1]
    assert found["w0000", "decided"] == found["w0002", "decided"] == [first]


def test_a_session_begins_with_its_first_tick_and_dormancy_counts_on(tmp_path):
    plants = [{"kind": "plant", "space": "global", "text": f"x{d}", "session": 1, "dormancy": d} for d in (0, 1)]
    late = {"kind": "plant", "space": "global", "text": "y", "tick": 5, "dormancy": 1}
    trace = ran(tmp_path, [*plants, late], worlds=1)
    assert {p.text: row.tick for row in rows(trace, "global") for p in row.planted} == {"x0": 4, "x1": 8, "y": 8}


def test_agents_come_and_go(tmp_path):
    gone = [{"kind": "remove_agent", "tick": 3, "agent": ONE}, {"kind": "add_agent", "tick": 6, "agent": ONE}]
    for saves in (True, False):
        world = {"name": "toys:ToyWorld", "saves": saves}
        trace = ran(tmp_path / str(saves), gone, worlds=1, environment=world)
        acted = [row.tick for row in map(world_row, trace.of(WORLD)) if "player_0" in row.actions]
        assert acted == [0, 1, 2, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({"kind": "wipe", "tick": 1, "space": "globl"}, "interventions.0.space: no space is called 'globl'. Did you"),
        ({"kind": "cut", "tick": 1, "space": "global", "agent": "w0/x"}, "interventions.0.agent: no agent is called"),
        ({"kind": "purge", "tick": 1}, "say what is purged"),
        ({"kind": "wipe", "space": "global"}, "say when it begins: tick, session or when"),
        ({"kind": "wipe", "tick": 1, "session": 2, "space": "global"}, "it begins once"),
        ({"kind": "wipe", "when": {"records": 3}, "space": "global"}, "name the space"),
        ({"kind": "wipe", "when": {"world": "w9", "reward": 3}, "space": "global"}, "no world is called 'w9'"),
        ({"kind": "rewire", "tick": 1, "wiring": "globl"}, "'globl'"),
        ({"kind": "melt", "tick": 1}, "interventions.0"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(tmp_path, one, message):
    with pytest.raises(UserError) as caught:
        ran(tmp_path, [one], wiring="global")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_an_environment_with_a_fixed_set_of_agents_says_so(tmp_path):
    one = {"kind": "remove_agent", "tick": 1, "agent": ONE}
    with pytest.raises(UserError, match="has a fixed set of agents"):
        ran(tmp_path, [one], environment={"name": "towers:bell"}, policy="believer", worlds=1)
