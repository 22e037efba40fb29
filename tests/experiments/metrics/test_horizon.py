"""Metrics over long horizons give what their formulas give by hand, on tables of a few rows."""

import math
from dataclasses import fields

import polars as pl
import pytest

from simonides.experiments.metrics import horizon
from simonides.experiments.metrics.needs import NEEDS
from simonides.experiments.metrics.persistence import DESCENT, DORMANCY
from simonides.experiments.metrics.reads import READS, said, similarity
from simonides.experiments.metrics.sessions import SESSIONS, WRITES, sessions
from simonides.experiments.metrics.tables import TrialTables

SCHEMAS = {"needs": NEEDS, "reads": READS, "dormancy": DORMANCY, "descent": DESCENT, "writes": WRITES}


def rows(name, *given):
    """A table of one kind; what a row does not say is null."""
    schema = SCHEMAS[name]
    return pl.DataFrame([{**dict.fromkeys(schema), **one} for one in given], schema=schema)


def tables(**given):
    """A trial's tables, of which only the named ones hold rows."""
    made = {name: rows(name, *given.get(name, ())) for name in SCHEMAS}
    return TrialTables(**{field.name: made.get(field.name, pl.DataFrame()) for field in fields(TrialTables)})


def need(subject="a", success=True, session=0, needed=0, task="told-fact", distractors=0, world="w"):
    return {
        "world": world, "agent": "p", "need": f"{subject}-{needed}", "subject": subject, "attribute": "x", "truth": "1",
        "chosen": str(int(success)), "success": success, "session": session, "needed": needed, "task": task,
        "distractors": distractors,
    }  # fmt: skip


def test_dormancy_is_the_share_of_hits_by_sessions_since_the_item_and_leaves_benign_ones_out():
    asked = [(0, True), (0, True), (1, True), (1, False), (5, False)]
    found = [{"item": "i", "tainted": True, "since": since, "hit": hit} for since, hit in asked]
    found.append({"item": "j", "tainted": False, "since": 0, "hit": False})
    assert horizon.dormancy_survival(tables(dormancy=found)) == {
        "d=0": 1.0, "d=1": 0.5, "d=5": 0.0, "half-life": 1.0
    }  # fmt: skip


def test_an_item_that_never_fades_has_no_half_life():
    found = [{"item": "i", "tainted": True, "since": d, "hit": True} for d in range(3)]
    assert "half-life" not in horizon.dormancy_survival(tables(dormancy=found))


def test_success_by_session_has_a_least_squares_slope_and_the_mean_of_the_last_quartile():
    # Shares 0, 0.5, 1, 0.5, 1 in sessions 0 to 4: slope = sum((x - 2)(y - 0.6)) / 10 = 2 / 10; two sessions are last.
    outcomes = [(0, [0]), (1, [0, 1]), (2, [1]), (3, [0, 1]), (4, [1])]
    given = [need(success=bool(one), session=s) for s, ones in outcomes for one in ones]
    found = horizon.success_by_session(tables(needs=given))
    assert found == {"slope": pytest.approx(0.2), "last quartile": pytest.approx(0.75)}


def test_one_session_has_no_slope():
    found = horizon.success_by_session(tables(needs=[need(), need(success=False)]))
    assert math.isnan(found["slope"]) and found["last quartile"] == 0.5


def test_retention_counts_the_fact_among_the_facts_and_interference_is_fewest_less_most():
    given = [need(distractors=0), need(distractors=0), need(distractors=3), need(distractors=3, success=False)]
    found = horizon.retention(tables(needs=given))
    assert found == {"1 facts": 1.0, "4 facts": 0.5, "interference": 0.5}


def test_similarity_is_the_cosine_of_word_counts():
    assert similarity("red red blue", "red") == pytest.approx(2 / math.sqrt(5))
    assert similarity("Red, blue.", "blue RED") == pytest.approx(1.0) and similarity("red", "blue") == 0.0


def test_experience_following_correlates_the_similarity_of_tasks_with_that_of_what_was_done():
    pairs = [(0.0, 0.0), (0.5, 1.0), (1.0, 0.5)]
    given = [
        {"world": "w", "agent": "p", "need": f"n{i}", "tick": i, "rank": rank, "input_similarity": x,
         "output_similarity": y}
        for i, (x, y) in enumerate(pairs) for rank in (1, 2)
    ]  # fmt: skip
    # Deviations -0.5, 0, 0.5 and -0.5, 0.5, 0: covariance 0.25, both squares 0.5.
    assert horizon.experience_following(tables(reads=given)) == {"": pytest.approx(0.5), "tasks": 3.0}
    assert horizon.experience_following(tables(reads=given[:4])) == {}


def read(name, wrong, success, rank=1, tick=0):
    return {"world": "w", "agent": "p", "need": name, "tick": tick, "rank": rank, "wrong": wrong, "success": success}


def test_error_propagation_compares_errors_after_wrong_records_with_those_after_right_ones():
    given = [
        read("a", True, False), read("b", True, False), read("c", True, True), read("d", False, True),
        read("e", False, False), read("f", False, True), read("g", False, True),
        read("d", True, True, rank=2), read("e", None, False, rank=1, tick=3),
    ]  # fmt: skip
    found = horizon.error_propagation(tables(reads=given))
    assert found["after wrong"] == pytest.approx(2 / 3) and found["after right"] == pytest.approx(1 / 4)
    assert found[""] == pytest.approx(2 / 3 - 1 / 4)
    assert (found["after wrong, tasks"], found["after right, tasks"]) == (3.0, 4.0)


def test_the_record_that_counts_is_the_best_ranked_of_the_last_tick_that_says_anything():
    given = [read("a", False, False, rank=1, tick=1), read("a", True, False, rank=2, tick=4),
             read("a", False, False, rank=3, tick=4)]  # fmt: skip
    assert horizon.error_propagation(tables(reads=given)) == {"after wrong": 1.0, "after wrong, tasks": 1.0}


def test_backward_transfer_is_the_last_outcome_less_the_first_of_what_is_asked_again():
    given = [("a", True, 1), ("b", True, 2), ("a", False, 8), ("b", True, 9), ("c", False, 3)]
    given = [need(subject, right, needed=tick) for subject, right, tick in given]
    assert horizon.backward_transfer(tables(needs=given)) == {"": -0.5, "tasks": 2.0}


def test_progress_counts_stages_and_a_full_task_only_when_all_of_them_succeeded():
    chain = [("u", True), ("u", True), ("w", True), ("w", False)]
    given = [need(str(i), ok, needed=i, world=world, task="chain") for i, (world, ok) in enumerate(chain)]
    given.append(need("again", False, task="again"))
    assert horizon.progress(tables(needs=given)) == {"subtasks": 0.75, "full task": 0.5}


def test_sharing_counts_others_records_versions_behind_and_conflicts():
    reads = [{"others": True, "behind": 0}, {"others": False, "behind": 2}, {"others": False, "behind": 1}]
    writes = [{"space": "s", "session": 0, "writes": 6, "conflicts": 1}, {"space": "t", "writes": 2, "conflicts": 1}]
    found = horizon.sharing(tables(reads=reads, writes=writes))
    assert found == {"reuse": pytest.approx(1 / 3), "staleness": 1.0, "conflict rate": 0.25}


def test_descent_is_the_number_of_records_at_the_end_and_the_most_of_any_session():
    given = [
        {"item": item, "tainted": bad, "session": s, "copies": copies, "telling": telling}
        for item, bad, path in (("i", True, [(1, 1), (4, 3), (2, 1)]), ("j", False, [(1, 1), (1, 1), (0, 0)]))
        for s, (copies, telling) in enumerate(path)
    ]  # fmt: skip
    found = horizon.contamination_by_descent(tables(descent=given))
    assert found == {"": 1.0, "tainted": 2.0, "benign": 0.0, "peak": 4.0, "telling": 1.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Ann lives in Porto.", "Porto"),
        ('Bob said, "Ann lives in Porto." Carl lives in Rome.', "Porto"),
        ("Ann lives in Porto. Ann lives in Rome.", None),
        ("Ann does not live in Porto.", None),
        ("Carl lives in Rome.", None),
        ("Annabel lives in Rome.", None),
    ],
)
def test_a_record_says_the_one_value_that_its_sentences_about_the_subject_name(text, value):
    assert said(text, "Ann", ["Porto", "Rome"]) == value


def test_a_session_in_which_a_space_did_not_change_has_what_it_held_before():
    ticks = pl.DataFrame({"session": [0, 0, 1]})
    needs = rows("needs", need(session=1), need(session=1, success=False))
    memory = pl.DataFrame(
        {"space": ["s", "t", "t"], "session": [0, 0, 1], "records": [3, 1, 2], "characters": [9, 3, 6],
         "tokens": [6, 2, 4]}
    )  # fmt: skip
    cost = pl.DataFrame({"session": [1, 1], "calls": [2, 1], "prompt_tokens": [5, 5], "completion_tokens": [1, 1]})
    latency = pl.DataFrame({"session": [0, 0], "seconds": [0.5, 1.5]})
    found = sessions(ticks, needs, memory, cost, latency)
    assert found.schema == SESSIONS and found.rows() == [
        (0, 2, 0, 0, 4, 12, 8, 0, 0, 1.0), (1, 1, 2, 1, 5, 15, 10, 3, 12, None)
    ]  # fmt: skip


def test_what_does_not_apply_has_no_value():
    empty = tables()
    measures = (
        horizon.dormancy_survival, horizon.success_by_session, horizon.retention, horizon.experience_following,
        horizon.error_propagation, horizon.backward_transfer, horizon.progress, horizon.sharing,
        horizon.contamination_by_descent,
    )  # fmt: skip
    assert [measure(empty) for measure in measures] == [{}] * len(measures)
