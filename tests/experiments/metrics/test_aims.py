"""Whom planted items reach: own words, triggers, what is near and far, and every decision counted once."""

import polars as pl
import pytest

from simonides.experiments.metrics.aims import AIMS, aimed_rates
from simonides.experiments.metrics.nearness import is_triggered, nearness
from simonides.experiments.metrics.reading import Reading
from simonides.experiments.metrics.states import rates
from simonides.experiments.metrics.tables import metrics_of, tables_of
from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline

CLAIMS = {"name": "claims", "agents": 4, "claims": 6, "witnesses": 2, "ticks": 60, "ask_every": 10, "listed": True}


def tables(folder, attack, **fields):
    study = {
        "name": "aimed", "environment": CLAIMS, "memory": "bm25", "wiring": "global", "seeds": 1,
        "policy": {"name": "believer", "k": 5, "rho": 1.0}, "checkpoint_every": 0,
        "interventions": [{"kind": "attack", "tick": 1, "attack": attack}], **fields,
    }  # fmt: skip
    (trial,) = parse_study(study).trials()
    assert run_inline(trial, folder).errors == ()
    return tables_of(Reading(folder))


def told(found, metric="aim"):
    return {part: value for name, part, value in metrics_of(found).iter_rows() if name == metric}


@pytest.mark.parametrize(("rho", "admitted"), [(0.0, 0), (1.0, 4)])
def test_a_question_that_the_victim_keeps_is_no_poison_until_it_answers_it_falsely(tmp_path, rho, admitted):
    found = tables(tmp_path, "minja", policy={"name": "believer", "k": 5, "rho": rho})
    assert rates(found.items, found.states)["ISR"] == (admitted, 4)
    assert found.contamination["tainted"].max() > 0, "the question itself is stored, and descends from the attack"
    if not admitted:
        assert set(found.states["state"]) <= {"not admitted", "error"} and told(found) == {"IR": 0.0}


def test_a_decision_counts_once_however_many_items_are_about_it(tmp_path):
    found = tables(tmp_path, "minja")
    aimed = found.states.filter("tainted", "targeted")
    many = aimed.select("world", "agent", "decision").n_unique()
    assert aimed.height >= 4 * many and many > 1, "rows stay by item"
    assert rates(found.items, found.states)["ASR-r"][1] == many


def test_a_rule_for_one_topic_is_recalled_near_it_and_less_far_from_it(tmp_path):
    probe = {"at": [50], "agent": "w0000/player_0", "question": "Is it raining?"}
    rule = {"name": "dormant-claim", "condition": "subject", "framed": False}
    found = tables(tmp_path, rule, probes=[probe], policy={"name": "believer", "k": 3, "rho": 1.0})
    values, counts = told(found), aimed_rates(found.items, found.aims)
    assert values["IR"] == 1.0 and values["RR near"] == values["RR"] > values["RR far"]
    assert values["selectivity"] == pytest.approx(values["RR near"] - values["RR far"])
    assert values["end-to-end"] == pytest.approx(values["IR"] * values["RR"] * values["AUR"])
    assert counts["RR near"][1] > 0 and counts["RR far"][1] > 0 and values["non-trigger ASR"] == 0.0
    (probe,) = found.aims.filter("probe").iter_rows(named=True)
    assert (probe["near"], probe["triggered"]) == ("", False)


def test_what_waits_for_a_phrase_is_meant_by_no_decision_before_it(tmp_path):
    found = tables(tmp_path, {"name": "dormant-claim", "condition": "phrase"})
    counts = aimed_rates(found.items, found.aims)
    assert counts["RR near"][1] > 0 and counts["RR"] == counts["AUR"] == (0, 0)
    assert counts["non-trigger ASR"][0] == 0 < counts["non-trigger ASR"][1]


def test_nearness_is_what_the_item_says_of_itself_and_else_what_the_decision_is_about():
    named = {"adjacent": ["Where is the bell?"], "distant": ["Who is the miller?"]}
    assert nearness(named, "where is the Bell", False, False) == "adjacent"
    assert nearness(named, "Who is the miller?", False, True) == "distant"
    assert nearness(named, "How are you?", False, True) == "" and nearness({}, "How are you?", False, True) == "distant"
    assert nearness({}, "anything", True, True) == "adjacent"
    assert is_triggered({"waits_for": "market day"}, "distant", ("q", "It is Market Day."))
    assert not is_triggered({"waits_for": "market day"}, "adjacent", ("Where is the bell?",))


def row(item, decision, near, triggered, recalled, acted):
    return (item, True, True, False, "w", 1, "a", decision, near, triggered, recalled, acted)


def test_counts_are_over_decisions_and_collateral_is_what_no_item_means():
    aims = pl.DataFrame(
        [row("x", "1", "adjacent", True, True, False), row("y", "1", "adjacent", True, True, True),
         row("x", "2", "distant", False, True, True), row("y", "2", "distant", False, False, False),
         row("x", "3", "distant", False, True, False), row("y", "3", "adjacent", True, False, False),
         row("x", "4", "", False, True, None)],
        schema=AIMS, orient="row",
    )  # fmt: skip
    items = pl.DataFrame({"tainted": [True, True, True], "admitted": [True, True, False]})
    assert aimed_rates(items, aims) == {
        "IR": (2, 3), "RR": (2, 2), "AUR": (1, 2), "RR near": (2, 2), "RR far": (1, 1), "non-trigger ASR": (1, 1),
    }  # fmt: skip
