"""DroidTask's recordings: what is read, what of the tasks they cover, and what replaying them allows."""

from __future__ import annotations

import json
import os
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
import yaml
from falsehoods import is_whole

from simonides.envs.android.droidtask.coverage import coverage
from simonides.envs.android.droidtask.env import droidtask
from simonides.envs.android.droidtask.graph import Graph
from simonides.envs.android.droidtask.load import load
from simonides.envs.android.droidtask.plan import GRAMMAR
from simonides.envs.android.droidtask.screens import read_screen
from simonides.experiments.cli import main
from simonides.sim.checks.environment import check_environment
from simonides.sim.errors import ContractBroken, CorruptFile, DataError

A = "<input id=0 >Search</input>\n <button id=1 text='More options'></button>\n<button id=2>Bob<br>Hey</button>"
B = "<p id=0>Settings</p>\n<button id=2>Theme</button>\n<checkbox id=3 checked=False>Sounds</checkbox>"
B_ON = B.replace("checked=False", "checked=True")
C = "<p id=0>Choose a theme</p>\n<button id=1>Dark</button>\n<button id=2>go back</button>"


@pytest.fixture(scope="session")
def published() -> str:
    """The folder of the published recordings; skips where SIMONIDES_DATA is unset."""
    folder = os.environ.get("SIMONIDES_DATA")
    if not folder:
        pytest.skip("SIMONIDES_DATA is not set; it names the folder of published data sets")
    return str(Path(folder) / "droidtask")


def record(state, choice, typed="null"):
    return {"State": state, "Choice": choice, "Input": typed}


def step(state, choice, typed="null"):
    return {"state": state, "label": [choice, typed]}


@pytest.fixture
def made(tmp_path):
    """A small app: A more B theme C back B theme A (two ends of one touch); a task to C, one to B with sounds on."""
    walk = [record(A, 1), record(B, 2), record(C, 2), record(B, 2), record(A, 0, "Bob"), record(A, -1)]
    (tmp_path / "utgs").mkdir()
    (tmp_path / "utgs" / "My_App.yaml").write_text(yaml.safe_dump({"records": walk}))
    tasks = {
        "t1": {"task": "choose a theme", "profile": [step(A, 1), step(B, 2), step(C, -1)]},
        "t2": {"task": "turn sounds on", "profile": [step(A, 1), step(B, 3), step(B_ON, -1)]},
    }
    (tmp_path / "profile_no_answer.json").write_text(json.dumps({"myapp": tasks}))
    return str(tmp_path)


def act(env, info, text, agent="player_0"):
    value = next(one["value"] for one in info["legal_actions"] if one["text"] == text)
    return env.step({agent: value})


def play(env, remembers=True):
    """Follow the plan; at a need believe what was seen, or the first option. Return the last verdicts and rewards."""
    _, infos = env.reset()
    known, verdicts, earned = {}, [], 0.0
    while env.agents:
        actions = {}
        for agent, info in infos.items():
            for one in info["experiences"]:
                known |= {(claim.subject, claim.attribute): claim.value for claim in GRAMMAR.read(one["text"])}
            need, chosen = info.get("need"), info["plan"]
            if need:
                value = known.get((need["subject"], need["attribute"])) if remembers else None
                chosen = need["plan"][value if value in need["options"] else need["options"][0]]
            actions[agent] = next(one["value"] for one in info["legal_actions"] if one["text"] == (chosen or "wait"))
        _, rewards, _, _, infos = env.step(actions)
        earned += sum(rewards.values())
        verdicts += [one for info in infos.values() for one in info["answer_key"]["verdicts"]]
    return verdicts, earned


# --- the files ---


def test_elements_are_read_with_lines_labels_and_marks_and_compared_without_ids():
    screen = read_screen("<button id=4 text='Tabs<br>Don't'>A\nB</button>\n<checkbox id=7 checked=True>On</checkbox>")
    first, second = screen.elements
    assert (first.id, first.kind, first.words, first.label) == (4, "button", "A / B", "Tabs / Don't")
    assert (second.checked, second.name) == (True, "7 On")
    assert read_screen(A).key == read_screen(A.replace("id=1 ", "id=5 ")).key != read_screen(B).key
    assert read_screen(B).like(read_screen(B_ON)) == 0.5
    with pytest.raises(ValueError, match="not an element"):
        read_screen("<button id=1>A")


def test_the_walks_hold_these_parts_of_the_gold_tasks(published):
    # Consecutive records are edges, restarts included; screens are compared by their elements without ids. The exact
    # counts are those of an independent count; the like ones are ours alone: 386 where reading line by line, which
    # cuts elements of several lines apart, gives 382.
    found = coverage(published)
    assert astuple(found["all"]) == (477, 309, 386, 371, 156, 188, 106, 13, 19)
    assert len(found) == 10


def test_the_counts_are_a_command(published, capsys):
    assert main(["data", "coverage", published]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["transitions_exact"] == 156


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("utgs/My_App.yaml", "records: [", "cannot be read"),
        ("utgs/My_App.yaml", "records: [{Choice: 1}]", "not a graph as published"),
        ("profile_no_answer.json", '{"myapp": {"t": {"task": "x", "profile": []}}}', "no whole path"),
        ("profile_no_answer.json", '{"other": {}}', "no app with both"),
        ("profile_no_answer.json", '{"myapp', "not whole JSON"),
    ],
)
def test_a_broken_file_is_one_clear_error(made, file, text, told):
    (Path(made) / file).write_text(text)
    with pytest.raises(DataError, match=told):
        load(made)


# --- what can happen ---


def test_stitched_graphs_say_from_which_recording_a_transition_comes(made):
    (app,) = load(made)
    recorded, stitched = Graph.of(app, "recorded"), Graph.of(app, "stitched")
    assert {edge.sources for edge in recorded.edges} == {("graph",)}
    assert sorted({edge.sources for edge in stitched.edges}) == [("gold",), ("gold", "graph"), ("graph",)]
    assert read_screen(B_ON).key not in recorded.numbers


def test_an_action_without_recorded_effect_changes_nothing_and_is_counted(made):
    env = droidtask(made, task=0, distractors=0)
    _, infos = env.reset()
    before = infos["player_0"]["text"].splitlines()[0]
    _, _, _, _, infos = act(env, infos["player_0"], "touch 2 Bob Hey")
    info = infos["player_0"]
    assert (info["effect"], info["answer_key"]["unrecorded"], info["experiences"]) == ("unrecorded", 1, [])
    assert before == "You see myapp screen 0:" and "no recorded effect" in info["text"]


def test_an_illegal_action_does_nothing_and_names_the_legal_ones(made):
    env = droidtask(made, task=0, distractors=0)
    env.reset()
    _, _, _, _, infos = env.step({"player_0": 99})
    assert infos["player_0"]["illegal"]["legal"][0] == "wait" and infos["player_0"]["answer_key"]["illegal"] == 1
    assert infos["player_0"]["effect"] == ""


def test_where_recordings_disagree_the_one_followed_decides_and_otherwise_a_counted_draw(made):
    (app,) = load(made)
    env = droidtask(made, task=0, distractors=0)
    env.reset()
    theme = read_screen(B).elements[1]
    edges = list(Graph.of(app, "recorded").follow(1, theme, ""))
    assert {edge.target for edge in edges} == {0, 2}
    ends = set()
    for number, target in ((1, 2), (3, 0)):
        env._tick, env._followed = 99, [("graph", number)]
        assert env._resolved(edges).target == target and env._counts["ambiguous"] == 0
    for seed in range(12):
        env.reset(seed=seed)
        env._tick, env._followed = 99, []
        ends.add(env._resolved(edges).target)
        assert env._counts["ambiguous"] == 1
    assert ends == {0, 2}


def test_modes_pose_different_tasks(made):
    assert len(droidtask(made)._tasks) == 1 and len(droidtask(made, mode="stitched")._tasks) == 2
    with pytest.raises(DataError, match="apps: myapp"):
        droidtask(made, app="mapp")


# --- the memory task ---


@pytest.mark.parametrize("seer", ["self", "other"])
@pytest.mark.parametrize("task", [0, 1])
def test_who_remembers_the_walk_does_the_task(made, seer, task):
    verdicts, earned = play(droidtask(made, mode="stitched", task=task, seer=seer, sessions=1, delay=2))
    assert earned > 0 and len(verdicts) == 2 and all(one["success"] for one in verdicts)
    assert all(one["seen"] >= 0 and one["needed"] > one["seen"] and one["sessions"] == 2 for one in verdicts)


def test_without_memory_or_without_the_walk_the_task_fails(made):
    assert play(droidtask(made, mode="stitched", task=1), remembers=False)[1] == 0.0
    verdicts, earned = play(droidtask(made, mode="stitched", task=1, reveal=False))
    assert earned == 0.0 and {one["seen"] for one in verdicts} == {-1}


def test_a_task_ends_after_its_gold_length_and_two(made):
    env = droidtask(made, task=0, distractors=0)
    _, infos = env.reset()
    for _ in range(2):
        _, _, _, _, infos = act(env, infos["player_0"], infos["player_0"]["plan"])
    for left in range(4, 0, -1):
        assert f"{left} actions are left" in infos["player_0"]["text"]
        _, _, ended, _, infos = act(env, infos["player_0"], "wait")
    assert infos["player_0"]["answer_key"]["verdicts"] and not ended["player_0"]
    _, _, ended, _, _ = env.step({"player_0": 0})
    assert ended["player_0"] and env.agents == []


def test_a_falsehood_is_a_readable_claim_that_another_element_is_the_way(made):
    env = droidtask(made, task=0)
    env.reset()
    lie = env.falsehood(np.random.default_rng(0))
    (claim,) = GRAMMAR.read(lie["text"])
    assert (claim.subject, claim.value) == (lie["subject"], lie["value"])
    assert is_whole(env, lie)
    env.inject(lie["agent"], lie["channel"], lie["text"])
    again = droidtask(made, task=0)
    again.restore(env.snapshot())
    for one in (env, again):
        _, _, _, _, infos = one.step({"player_0": 0})
        assert {"text": lie["text"], "channel": "screen"} in infos["player_0"]["experiences"]
    with pytest.raises(ContractBroken):
        env.inject("player_0", "radio", "x")


def test_a_snapshot_of_another_configuration_is_refused(made):
    env = droidtask(made)
    env.reset()
    with pytest.raises(CorruptFile):
        droidtask(made, mode="stitched").restore(env.snapshot())


def test_the_picture_shows_the_elements_of_the_screen(made):
    env = droidtask(made, task=0)
    env.reset()
    first = env.render()
    act(env, env._views()[1]["player_0"], "touch 1 More options")
    assert first.shape == (720, 405, 3) and first.dtype == np.uint8 and (env.render() != first).any()


@pytest.mark.parametrize("seer", ["self", "other"])
def test_it_passes_the_checks_of_every_environment(made, seer):
    report = check_environment("droidtask", {"data": made, "mode": "stitched", "task": 1, "seer": seer})
    assert report.passed, [check for check in report.results if not check.passed]


@pytest.mark.parametrize("mode", ["recorded", "stitched"])
def test_the_published_tasks_are_done_by_who_remembers_and_by_nobody_else(published, mode):
    full = [play(droidtask(published, seed=s, mode=mode))[1] > 0 for s in range(30)]
    none = [play(droidtask(published, seed=s, mode=mode), remembers=False)[1] > 0 for s in range(30)]
    hidden = [play(droidtask(published, seed=s, mode=mode, reveal=False))[1] > 0 for s in range(30)]
    assert sum(full) >= 26 and sum(none) <= 5 and sum(hidden) <= 5
