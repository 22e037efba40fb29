"""Probes change nothing: with them and without, everything else has one digest; what they find has its own."""

import pytest
from meddling import EVERYTHING, MIXED, ONE
from toys import toy_study

from simonides.sim.config import Layout, parse_study
from simonides.sim.errors import UserError
from simonides.sim.inline import run_inline
from simonides.sim.rows import probe_row
from simonides.sim.trace import PROBE, Trace

PROBES = [
    {"every": 3, "question": "said1 heard"},
    {"at": [4, 5], "question": "a lie", "space": "global", "k": 5},
    {"at": [6], "question": "said2", "agent": ONE, "space": ONE},
]


def ran(folder, layout=None, **fields):
    (trial,) = parse_study(toy_study(**{"wiring": MIXED, **fields})).trials()
    outcome = run_inline(trial, folder, Layout(**(layout or {})))
    assert outcome.errors == ()
    return Trace(folder)


@pytest.mark.parametrize("interventions", [[], EVERYTHING], ids=["calm", "meddled"])
def test_the_digest_is_equal_with_and_without_probes(tmp_path, interventions):
    fields = {"interventions": interventions, "policy": {"name": "toys:ToyPolicy"}}
    without = ran(tmp_path / "without", **fields)
    layouts = [{}, {"private": "actors", "memory_actors": 2, "world_actors": 2}, {"memory_budget": 0}]
    traces = [ran(tmp_path / str(n), layout, probes=PROBES, **fields) for n, layout in enumerate(layouts)]
    assert {trace.digest() for trace in traces} == {without.digest()}
    assert {trace.probes_digest() for trace in traces} != {without.probes_digest()}
    assert len({trace.probes_digest() for trace in traces}) == 1


def test_a_probe_asks_every_agent_or_reads_a_space(tmp_path):
    trace = ran(tmp_path, probes=PROBES, worlds=1)
    found = {row.tick: probe_row(row) for row in trace.of(PROBE)}
    assert sorted(found) == [0, 3, 4, 5, 6, 9]
    assert [(one.agent, one.text[:3], one.error) for one in found[3]] == [
        ("player_0", "act", ""),
        ("player_1", "act", ""),
    ]
    (alone,) = found[4]
    assert (alone.agent, alone.space, alone.text, len(alone.ids)) == ("", "global", "", 5)
    assert [(one.probe, one.agent) for one in found[6]] == [(0, "player_0"), (0, "player_1"), (2, "player_0")]


def test_a_copy_that_raises_is_a_row_and_the_trial_goes_on(tmp_path):
    trace = ran(tmp_path, probes=[{"at": [3], "question": "?"}], policy="believer", worlds=1,
                environment={"name": "towers:bell", "delay": 3})  # fmt: skip
    (row,) = trace.of(PROBE)
    assert {one.error for one in probe_row(row)} == {"KeyError"} or all(not one.error for one in probe_row(row))


def test_a_need_is_asked_and_the_believer_says_what_it_believes(tmp_path):
    form = ["colour", "The colour of the {subject} is {value}.", "The colour of the {subject} is not {value}."]
    need = {
        "question": "What is the colour of the bell of player_0?", "subject": "bell of player_0", "attribute": "colour",
        "options": ["red", "blue", "green", "white"], "grammar": [form],
    }  # fmt: skip
    plant = {"kind": "plant", "tick": 2, "agent": ONE, "text": "The colour of the bell of player_0 is gold."}
    fields = {"environment": {"name": "towers:bell", "delay": 6}, "policy": "believer", "memory": "full-context"}
    trace = ran(tmp_path, probes=[{"every": 1, "need": need, "agent": ONE}], interventions=[plant], worlds=1, **fields)
    said = {row.tick: probe_row(row)[0] for row in trace.of(PROBE)}
    assert said[0].notes["why"] == "guess" and said[1].notes["why"] == "top"
    assert len({said[tick].text for tick in range(1, 8)}) == 1


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({"question": "x"}, "say when it asks: every, or at"),
        ({"every": 2}, "say what it asks: question, or need"),
        ({"every": 2, "need": {"question": "x"}}, "a need says its attribute"),
        ({"every": 2, "question": "x", "agent": "w0/me"}, "probes.0.agent: there is no agent 'w0/me'"),
        ({"every": 2, "question": "x", "space": "globl"}, "probes.0.space: there is no space 'globl'. Did you mean"),
    ],
)
def test_a_wrong_probe_is_said_in_one_line(tmp_path, probe, message):
    with pytest.raises(UserError) as caught:
        ran(tmp_path, probes=[probe], wiring="global")
    assert message in str(caught.value) and "\n" not in str(caught.value)
