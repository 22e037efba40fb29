"""AndroTMem-Bench's scores: the published rules on boxes, texts, swipes, and the closure over critical links."""

from __future__ import annotations

import json

import pytest

from simonides.experiments.cli import main
from simonides.experiments.metrics.androtmem import (
    Gold,
    Step,
    Task,
    breakdown,
    dependency_recall,
    pixels,
    required,
    score_task,
    step_score,
)
from simonides.experiments.metrics.androtmem_files import load_tasks, score_files

BOX = (100.0, 200.0, 200.0, 240.0)


def tap(x, y, name="tap"):
    return {"action": name, "x": x, "y": y}


def linked(links, wrong=(), final=4, n=5, intent="lookup"):
    """A task of bare waits, its last step a finish; `links` are critical (source, target) pairs."""
    steps = tuple(
        Step(
            str(i),
            (str(i),),
            Gold("finish" if i == final else "wait"),
            tuple(str(source) for source, target in links if target == i),
            i == final,
        )
        for i in range(n)
    )
    told = {step.index: "home" if int(step.index) in wrong else step.gold.action for step in steps}
    return score_task(Task("t", intent, steps), told)


@pytest.mark.parametrize("point", [(86, 220), (214, 245.6), (100, 194.4)])
def test_a_point_in_the_box_grown_by_14_percent_hits(point):
    assert step_score(tap(*point), Gold("tap", box=BOX)) == 1.0


@pytest.mark.parametrize("point", [(85.9, 220), (214.1, 220), (150, 245.7), (None, 220), ("x", 1)])
def test_a_point_beside_the_grown_box_misses(point):
    assert step_score(tap(*point), Gold("tap", box=BOX)) == 0.0


def test_completion_needs_the_critical_closure_only():
    links = [(2, 4), (0, 2)]
    assert linked(links).completed
    beside, within = linked(links, wrong={3}), linked(links, wrong={0})
    assert beside.completed and not within.completed and within.failed == ("0",)
    assert sum(beside.scores) / 5 == sum(within.scores) / 5 == 0.8


def test_a_critical_link_to_nothing_fails_a_task_with_every_step_right():
    score = linked([(2, 4), (77, 2)])
    assert set(score.scores) == {1.0} and not score.completed and score.failed == ("77",) and score.unresolved == 1


def test_a_two_point_swipe_without_direction_scores_nothing():
    exact = {"action": "swipe_two_points", "x": 1, "y": 2, "x_end": 3, "y_end": 4, "direction": ""}
    assert step_score(exact, Gold("swipe_two_points", direction="")) == 0.0
    assert step_score(exact | {"direction": "UP "}, Gold("swipe_two_points", direction="up")) == 1.0


@pytest.mark.parametrize(
    ("said", "meant"),
    [("click", "tap"), ("CLICK", "tap"), ("type", "text"), ("input_text", "text"), ("terminate", "finish")],
)
def test_aliases_are_the_same_action(said, meant):
    gold = Gold(meant, "Ann", BOX)
    assert step_score({"action": said, "x": 150, "y": 220, "value": " ann "}, gold) == 1.0


def test_text_must_be_equal_and_an_unknown_action_never_scores():
    assert step_score({"action": "text", "value": "Anne"}, Gold("text", "Ann")) == 0.0
    assert step_score("fly", Gold("fly")) == step_score(None, Gold("wait")) == step_score([1], Gold("wait")) == 0.0
    assert step_score("WAIT", Gold("wait")) == 1.0


def test_coordinates_of_a_model_become_pixels_within_the_screen():
    assert [pixels(v, 1081) for v in (0, 500, 1000, 1200, -3, "x", None)] == [0, 540, 1080, 1080, 0, 0, 0]


def test_without_a_finish_the_last_step_is_the_final_one_and_rings_end():
    steps = tuple(Step(str(i), (str(i),), Gold("wait"), (str((i - 1) % 3),)) for i in range(3))
    assert required(Task("t", "x", steps)).steps == {"0", "1", "2"}


def test_scores_are_broken_down_by_intent_length_and_strictness():
    scores = [linked([(0, 4), (1, 4)]), linked([], wrong={4}), linked([(0, 12)], n=13, final=12, intent="booking")]
    found = breakdown(scores)
    assert found["overall"]["tcr"] == pytest.approx(2 / 3) and found["overall"]["ams"] == pytest.approx(22 / 23)
    assert list(found["by_length"]) == ["0-9", "10-19"] and found["by_length"]["0-9"]["tasks"] == 2
    assert found["strict_links"]["tasks"] == 1 and found["strict_links"]["tcr"] == 1.0
    assert found["by_length_and_intent"]["10-19"]["booking"]["ams"] == 1.0


def test_dependency_recall_counts_the_values_that_stand_in_what_was_read():
    assert dependency_recall(["12.50", "Ann Lee"], ["Pay 12.50.", "ann lee wrote"]) == 1.0
    assert dependency_recall(["12", "Ann"], ["It costs 120.", "Annette"]) == 0.0
    assert dependency_recall([], ["x"]) is None


# --- files as released ---


def released(tmp_path):
    """Two tasks, one naming its links by a status id within extra_info, and predictions in pixels for one of them."""
    steps = [
        {"step_index": 0, "image_name": "0.png", "actionForm": {"action": "open_app", "value": "Shop"},
         "extra_info": {"status": [{"id": "s-1", "content": "", "content_en": "[subgoal] opened"}]}},
        {"step_index": 1, "image_name": "1.png", "actionForm": {"action": "tap", "bbox": [0, 0, 10, 10]}, "links": []},
        {"step_index": 2, "image_name": "2.png", "actionForm": {"action": "wait"},
         "extra_info": {"status": [{"id": "s-3", "content_en": "[Finish] done"}],
                        "links": [{"source": "s-1", "is_critical": True}, {"source": 1, "is_critical": 1}]}},
    ]  # fmt: skip
    tasks = [{"task_id": 7, "instruction_en": "Do it", "primary_intent": "lookup", "steps": steps}]
    tasks.append(tasks[0] | {"task_id": "8"})
    told = [
        {"task_id": "7", "step_index": 0, "prediction": {"action": {"action": "AUTO_PASS"}},
         "credited_as_correct": True, "execution_status": "error"},
        {"task_id": "7", "step_index": "1", "prediction": {"action": {"action": "tap", "x": 500, "y": 4}},
         "metrics": {"e2e_sec": 2.0, "prompt_tokens": 30}},
        {"task_id": "7", "step_index": 2, "prediction": {"action": "WAIT"}},
    ]  # fmt: skip
    for name, rows in (("tasks", tasks), ("told", told)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (tmp_path / "array.json").write_text(json.dumps(tasks))
    return tmp_path


def test_released_files_are_scored_where_predictions_exist(tmp_path):
    folder = released(tmp_path)
    (score,), means = score_files(folder / "tasks.jsonl", folder / "told.jsonl")
    assert score.scores == (1.0, 0.0, 1.0) and score.completed and score.required == 2
    assert means["costs"]["records"] == 1 and means["costs"]["prompt_tokens"] == 30
    assert load_tasks(folder / "array.json") == load_tasks(folder / "tasks.jsonl")


def test_the_command_prints_tasks_and_means_and_can_scale_points(tmp_path, capsys):
    folder = released(tmp_path)
    command = ["score", "androtmem", str(folder / "tasks.jsonl"), str(folder / "told.jsonl")]
    assert main(command) == 0
    task, means = map(json.loads, capsys.readouterr().out.splitlines())
    assert (task["task_id"], task["tcr"], means["mean"]["overall"]["tcr"]) == ("7", 1, 1.0)
    assert means["mean"]["overall"]["ams"] == pytest.approx(2 / 3)
    assert main([*command, "--size", "21x2000"]) == 0  # x: 500 of 1000 is pixel 10
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["mean"]["overall"]["ams"] == 1.0
    assert main([*command, "--size", "wide"]) == 2


@pytest.mark.parametrize("bad", ['{"task_id": "7"', '{"step_index": 1}', "[1]"])
def test_a_bad_prediction_names_its_line(tmp_path, capsys, bad):
    folder = released(tmp_path)
    with (folder / "told.jsonl").open("a") as out:
        out.write(bad + "\n")
    assert main(["score", "androtmem", str(folder / "tasks.jsonl"), str(folder / "told.jsonl")]) == 2
    assert "told.jsonl, line 4" in capsys.readouterr().err


def test_predictions_of_other_tasks_are_an_error(tmp_path, capsys):
    folder = released(tmp_path)
    (folder / "told.jsonl").write_text('{"task_id": "9", "step_index": 0, "prediction": {}}\n')
    assert main(["score", "androtmem", str(folder / "tasks.jsonl"), str(folder / "told.jsonl")]) == 2
    assert "no prediction for any task" in capsys.readouterr().err
