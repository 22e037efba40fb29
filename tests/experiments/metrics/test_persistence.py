"""What a trace tells of long horizons: what is left of a planted record, and whose records are read."""

from types import SimpleNamespace

import polars as pl
import pytest

from simonides.envs.dialogue.tour import GRAMMAR
from simonides.experiments.metrics.conditions import Factor
from simonides.experiments.metrics.reading import Reading
from simonides.experiments.metrics.sessions import _met
from simonides.experiments.metrics.sharing import gains
from simonides.experiments.metrics.tables import metrics_of, tables_of
from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline
from simonides.sim.rows import Applied

TOUR = {"name": "dialogue-choices", "interdependent": True, "sessions": 4, "delay": 2, "distractors": 1}
"""A session is four ticks: two turns, a choice, and what came of it; tick 0 is a session of its own."""


def found(folder, **fields):
    base = {
        "name": "tour", "environment": TOUR, "policy": {"name": "believer", "profile": "recent", "k": 100},
        "memory": "full-context", "seeds": 1,
    }  # fmt: skip
    (trial,) = parse_study({**base, **fields}).trials()
    assert run_inline(trial, folder).errors == ()
    return tables_of(Reading(folder))


def values(tables, metric):
    return {part: value for name, part, value in metrics_of(tables).iter_rows() if name == metric}


def test_a_lie_that_stays_hits_when_it_is_needed_and_sessions_later_when_it_is_asked_for_again(tmp_path):
    tables = found(tmp_path, interventions=[{"kind": "plant"}])
    (tick,) = tables.items["tick"].to_list()
    about = tick // 4  # the lie comes in the tick after this stop's place was told
    assert tables.dormancy["since"].to_list() == [0, 3 - about] and tables.dormancy["hit"].all()
    assert tables.descent.select("since", "copies", "derived", "telling").rows() == [
        (since, 1, 0, 1) for since in range(4 - about)
    ]  # fmt: skip
    assert tables.descent["held"].to_list()[-1] == tables.memory["records"].to_list()[-1]
    assert values(tables, "dormancy")["d=0"] == 1.0
    first = tables.reads.filter((pl.col("need") == f"stop {about + 1}") & pl.col("says").is_not_null())
    assert first.select("tainted", "wrong").rows() == [(False, False), (True, True)]  # what it was told, and the lie


def test_a_probe_about_what_was_planted_counts_as_a_decision_that_changes_nothing(tmp_path):
    need = {
        "question": "What is the place of stop 9?", "subject": "stop 9", "attribute": "place",
        "options": ["Lisbon", "Porto"], "grammar": GRAMMAR.plain(),
    }  # fmt: skip
    plant = {"kind": "plant", "tick": 2, "agent": "w0000/player_0", "text": "The place of stop 9 is Porto.",
             "about": {"subject": "stop 9", "attribute": "place", "value": "Porto"}}  # fmt: skip
    tables = found(
        tmp_path, interventions=[plant], memory={"name": "window", "turns": 5},
        probes=[{"at": [4, 12], "agent": "w0000/player_0", "need": need}],
    )  # fmt: skip
    rows = tables.dormancy.select("probe", "since", "recalled", "hit").rows()
    assert rows == [(True, 0, True, True), (True, 2, False, False)]  # a guess is not the item's doing
    assert tables.descent["copies"].to_list() == [1, 1, 0, 0] or tables.descent["copies"].to_list() == [1, 0, 0, 0]


def test_a_summary_descends_from_all_that_went_into_it_whatever_its_text_still_tells(tmp_path):
    tables = found(
        tmp_path, interventions=[{"kind": "plant", "tick": 2}], memory={"name": "running-summary", "every": 4},
        model="scripted",
    )  # fmt: skip
    assert tables.descent["copies"].to_list()[-1] == 1 and tables.descent["derived"].to_list()[-1] == 1


def test_of_two_who_take_turns_each_reads_what_the_other_was_told(tmp_path):
    shared = found(tmp_path / "a", environment={**TOUR, "seer": "other"}, wiring="global")
    chain = shared.reads.filter(pl.col("says").is_not_null() & (pl.col("need").str.starts_with("stop")))
    assert chain["others"].to_list() == [True] * 4 and shared.reads["behind"].to_list() == [0] * shared.reads.height
    assert values(shared, "progress") == {"subtasks": 1.0, "full task": 1.0}
    assert values(shared, "backward-transfer") == {"": 0.0, "tasks": 4.0}
    apart = found(tmp_path / "b", environment={**TOUR, "seer": "other"})
    assert values(apart, "sharing")["reuse"] == 0.0 < values(shared, "sharing")["reuse"]


def test_writes_that_come_late_leave_a_space_versions_behind(tmp_path):
    late = {"kind": "delay", "tick": 0, "agent": "w0000/player_1", "space": "global", "by": 3}
    tables = found(
        tmp_path, environment={**TOUR, "seer": "other"}, wiring={"name": "global"}, interventions=[late]
    )  # fmt: skip
    assert max(tables.reads["behind"].to_list()) > 0 and values(tables, "sharing")["staleness"] > 0


def applied(kind, revised=(), retired=()):
    return Applied(kind, "w", "a", 0, 0, "", (), tuple(revised), tuple((one, "") for one in retired))


def test_two_writes_of_a_tick_that_change_one_record_are_a_conflict():
    row = SimpleNamespace(operations=(
        applied("write", revised=["r"]), applied("write", revised=["s"]), applied("write", retired=["r"]),
        applied("effects", revised=["s"]), applied("write"),
    ))  # fmt: skip
    assert _met(row) == (4, 1)


def test_sharing_gain_is_paired_by_seed_and_negative_transfer_counts_single_tasks():
    def needs(wiring, seed, *success):
        return [
            {"wiring": wiring, "seed": seed, "world": "w", "agent": "a", "need": str(i), "success": one}
            for i, one in enumerate(success)
        ]

    rows = [*needs("private", 0, True, False), *needs("private", 1, False, False),
            *needs("global", 0, False, True), *needs("global", 1, True, True)]  # fmt: skip
    factor = Factor("wiring", "wiring", ("private", "global"))
    tables = SimpleNamespace(
        factors=(factor,), names=["wiring"], needs=pl.DataFrame(rows), questions=pl.DataFrame(),
        metrics=pl.DataFrame(),
    )  # fmt: skip
    (gain,) = gains(tables)
    assert (gain.private, gain.shared, gain.test.difference) == (0.25, 0.75, 0.5)
    assert (gain.worse, gain.better, gain.tasks, gain.test.n) == (0.25, 0.75, 4, 2) and gain.exploratory
    assert gains(SimpleNamespace(factors=(), names=[], needs=pl.DataFrame(rows), questions=pl.DataFrame())) == []


@pytest.mark.parametrize("wirings", [("team", "global")])
def test_without_private_memories_there_is_nothing_to_compare_with(wirings):
    assert gains(SimpleNamespace(factors=(Factor("wiring", "wiring", wirings),), names=["wiring"])) == []
