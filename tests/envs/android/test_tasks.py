"""Long tasks on the phone: their form, that their gold actions do what they say, and that only memory decides them."""

from __future__ import annotations

import json
from collections import Counter
from statistics import mean

import numpy as np
import pytest
from falsehoods import is_whole
from PIL import Image

from simonides.envs.android.tasks.acts import perform
from simonides.envs.android.tasks.env import android_tasks
from simonides.envs.android.tasks.facts import GRAMMAR, claims_in
from simonides.envs.android.tasks.generate import generate, links_of, replayed, required, task_line
from simonides.envs.android.tasks.intents import INTENTS
from simonides.experiments.cli import main
from simonides.experiments.metrics.androtmem import dependency_recall
from simonides.experiments.metrics.androtmem_files import score_files
from simonides.sim.checks.environment import check_environment
from simonides.sim.errors import ContractBroken, CorruptFile

COUNT = 50


@pytest.fixture(scope="module")
def made():
    return [generate(seed) for seed in range(COUNT)]


def play(env, remembers=True, seed=None):
    """Follow the plan, and at a need believe what was read, or guess. Return verdicts, predictions, what was read."""
    rng = np.random.default_rng(seed)
    _, infos = env.reset()
    known, verdicts, lines, reads = {}, [], [], []
    while env.agents:
        actions = {}
        for agent, info in infos.items():
            for one in info["experiences"]:
                known |= {claim.subject: claim.value for claim in GRAMMAR.read(one["text"])}
            need, text = info.get("need"), info["plan"]
            if need:
                value = known.get(need["subject"]) if remembers else None
                reads.append(dependency_recall(info["answer_key"]["sources"].values(), [value or ""]))
                text = need["plan"][value or need["options"][int(rng.integers(len(need["options"])))]]
            actions[agent] = next(one["value"] for one in info["legal_actions"] if one["text"] == (text or "wait"))
        _, _, _, _, infos = env.step(actions)
        for info in infos.values():
            verdicts += info["answer_key"]["verdicts"]
            lines += [info["answer_key"]["prediction"]] if "prediction" in info["answer_key"] else []
    return verdicts, lines, reads


# --- the generator ---


def test_tasks_are_as_long_as_the_benchmarks_over_two_to_four_apps_and_all_intents(made):
    lengths = [len(one.steps) for one in made]
    assert 28 <= mean(lengths) <= 36 and max(lengths) <= 65 and max(lengths) > 50
    assert set(Counter(len(one.packages) for one in made)) == {2, 3, 4}
    assert {one.intent for one in made} == set(INTENTS)


def test_gold_actions_done_again_from_the_seed_reach_the_goal_and_no_action_does_not(made):
    for one in made[:15]:
        assert one.reached(replayed(one)) and not one.reached(one.phone())


@pytest.mark.parametrize("intent", sorted(INTENTS))
def test_a_wrong_value_does_not_reach_the_goal(intent):
    one = generate(5, intent, delay=0)
    for fact in one.work.facts:
        wrong = next(value for value in fact.options if value != fact.value)
        env = android_tasks(intent=intent, delay=0)
        env._seed = 5
        _, infos = env.reset()
        while env.agents:
            info = infos["player_0"]
            text = info["plan"]
            if need := info.get("need"):
                text = need["plan"][wrong if need["subject"] == fact.subject else env.made.truth[need["subject"]]]
            value = next(one["value"] for one in info["legal_actions"] if one["text"] == text)
            _, _, _, _, infos = env.step({"player_0": value})
            assert not any(one["success"] for one in infos["player_0"]["answer_key"]["verdicts"])


def test_the_same_seed_makes_the_same_task_and_another_one_another():
    assert task_line(generate(3)) == task_line(generate(3)) != task_line(generate(4))


def test_critical_links_lead_from_the_end_to_where_each_fact_was_seen(made):
    for one in made:
        links = links_of(one)
        needed = required(links, len(one.steps) - 1)
        seen = [i for i, step in enumerate(one.steps) if one.ops[step.op].sees]
        decided = [i for i, step in enumerate(one.steps) if one.ops[step.op].decides and step.done]
        assert set(seen) | set(decided) <= needed and len(decided) == len(one.work.facts)
        assert all(link["source"] < step for step, those in links.items() for link in those)
        between = {i for i, step in enumerate(one.steps) if one.phases[step.op] == "between"}
        assert not between & needed


def test_links_and_anchors_are_typed_as_the_benchmark_types_them(made):
    links = [link for one in made for those in links_of(one).values() for link in those]
    assert {link["relation"] for link in links} == {"prerequisite", "enables", "result_of", "blocks"}
    kinds = {op.kind for one in made for op in one.ops if op.kind}
    assert kinds == {"context_info", "subgoal", "dependency", "state_change", "exception", "finish"}


def test_an_exception_blocks_the_next_decision_until_the_change_that_results_of_it():
    found = [(one, links_of(one)) for one in (generate(seed, "configure", delay=0) for seed in range(12))]
    stuck = [(one, links) for one, links in found if any(op.kind == "exception" for op in one.ops)]
    assert 0 < len(stuck) < len(found)
    for one, links in stuck:
        relations = [(to, link["source"], link["relation"]) for to, those in links.items() for link in those]
        ((blocked, met, _),) = [link for link in relations if link[2] == "blocks"]
        cleared = [to for to, source, relation in relations if (source, relation) == (met, "result_of")]
        assert met < min(cleared) <= max(cleared) < blocked and one.ops[one.steps[blocked].op].decides
        assert {met, *cleared} <= required(links, len(one.steps) - 1)


def test_facts_are_not_on_the_screen_when_they_are_needed(made):
    for one in made[:15]:
        phone = one.phone()
        for step in one.steps:
            if one.ops[step.op].decides:
                shown = [node.text.replace("\n", " ") for root in phone.windows() for node in root.walk()]
                assert not [s for s in claims_in(shown) if s in {fact.sentence() for fact in one.work.facts}]
            perform(phone, step.act)


# --- the files ---


def test_written_tasks_score_one_with_the_gold_actions(tmp_path, capsys):
    assert main(["data", "android-tasks", str(tmp_path), "--count", "2", "--seed", "7", "--images"]) == 0
    _, means = score_files(tmp_path / "tasks.jsonl", tmp_path / "gold.jsonl")
    overall, strict = means["overall"], means["strict_links"]
    assert overall["ams"] == overall["tcr"] == strict["tcr"] == 1.0 and overall["unresolved_links"] == 0
    assert overall["tasks"] == strict["tasks"] == 2
    task = json.loads((tmp_path / "tasks.jsonl").read_text().splitlines()[0])
    with Image.open(tmp_path / "images" / task["steps"][0]["image_name"]) as picture:
        assert picture.size == (540, 960)
    assert {"task_id", "instruction_en", "primary_intent", "steps"} <= set(task)


# --- the environment ---


@pytest.mark.parametrize("mode", ["device", "recorded"])
def test_who_remembers_succeeds_and_who_guesses_is_near_chance(mode):
    full = [play(android_tasks(seed=s, mode=mode, delay=0))[0] for s in range(5)]
    none = [play(android_tasks(seed=s, mode=mode, delay=0), remembers=False, seed=s)[0] for s in range(10)]
    assert all(one["success"] for verdicts in full for one in verdicts) and all(len(v) == 2 for v in full)
    assert sum(all(one["success"] for one in verdicts) for verdicts in none) <= 3


@pytest.mark.slow
def test_teacher_forced_completion_measures_memory_alone(tmp_path):
    told = {True: [], False: []}
    with (tmp_path / "tasks.jsonl").open("w") as out:
        for seed in range(8):
            for remembers in told:
                env = android_tasks(seed=seed, mode="recorded")
                told[remembers] += play(env, remembers, seed)[1]
            out.write(json.dumps(task_line(env.made)) + "\n")
    found = {}
    for remembers, lines in told.items():
        (tmp_path / "told.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
        found[remembers] = score_files(tmp_path / "tasks.jsonl", tmp_path / "told.jsonl")[1]["overall"]
    assert found[True]["tcr"] == found[True]["ams"] == 1.0
    # Two facts of mostly six values each: 1 / 36, and 1 / 15 at the most.
    assert found[False]["tcr"] <= 1 / 15 + 0.35 and found[False]["ams"] > 0.9


def test_the_environments_own_verdict_is_the_scorers(tmp_path):
    lines, truth = [], {}
    with (tmp_path / "tasks.jsonl").open("w") as out:
        for seed in range(6):
            env = android_tasks(seed=seed, mode="recorded", delay=0, options=2)
            verdicts, told, _ = play(env, False, seed)
            lines, truth = lines + told, truth | {env.made.id: verdicts[0]["success"]}
            out.write(json.dumps(task_line(env.made)) + "\n")
    (tmp_path / "told.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    scores, _ = score_files(tmp_path / "tasks.jsonl", tmp_path / "told.jsonl")
    assert {score.task: score.completed for score in scores} == truth and set(truth.values()) == {True, False}


def test_without_the_facts_on_the_phone_memory_is_of_no_use():
    for seed in range(3):
        verdicts, _, reads = play(android_tasks(seed=seed, reveal=False, delay=0), seed=seed)
        assert reads == [0.0, 0.0] and {one["seen"] for one in verdicts} == {-1}


def test_one_agent_looks_up_and_another_one_does_it_in_later_sessions():
    env = android_tasks(seed=2, seer="other", sessions=2, delay=8)
    _, infos = env.reset()
    assert env.possible_agents == ["player_0", "player_1"] and infos["player_1"]["plan"] == "wait"
    verdicts, _, reads = play(env)
    assert all(one["success"] and one["sessions"] == 2 for one in verdicts) and reads == [1.0, 1.0]


def test_an_illegal_action_leaves_the_phone_alone_and_is_named():
    env = android_tasks(seed=1)
    env.reset()
    before = env.phone.snapshot()
    _, _, _, _, infos = env.step({"player_0": 191})
    assert env.phone.snapshot() == before and infos["player_0"]["answer_key"]["illegal"] == 1
    assert "back" in infos["player_0"]["illegal"]["legal"]


def test_finishing_too_early_fails():
    env = android_tasks(seed=1)
    _, infos = env.reset()
    finish = next(one["value"] for one in infos["player_0"]["legal_actions"] if one["text"] == "finish")
    _, rewards, _, _, infos = env.step({"player_0": finish})
    assert rewards["player_0"] == 0.0 and "not done" in infos["player_0"]["text"]


def test_a_falsehood_comes_before_the_need_and_names_another_value():
    env = android_tasks(seed=4)
    env.reset()
    lie = env.falsehood(np.random.default_rng(1))
    (claim,) = GRAMMAR.read(lie["text"])
    assert claim.value == lie["value"] != env.made.truth[lie["subject"]] == lie["truth"]
    assert is_whole(env, lie, "message")
    env.inject(lie["agent"], lie["channel"], lie["text"])
    _, _, _, _, infos = env.step({"player_0": 0})
    assert {"text": lie["text"], "channel": "message"} in infos["player_0"]["experiences"]
    with pytest.raises(ContractBroken):
        env.inject("player_0", "radio", "x")


def test_an_injected_text_is_a_message_on_the_phone_and_the_task_can_still_be_done():
    env = android_tasks(seed=4, delay=0)
    env.reset()
    env.inject("player_0", "message", "The door code of the moon is 1234.")
    env.step({"player_0": 0})
    rows = env.phone.database("org.simonides.messages").execute("SELECT number, body FROM messages WHERE seen = 0")
    assert ("555-0100", "The door code of the moon is 1234.") in [tuple(row) for row in rows]
    assert env.phone.find(text="The door code of the moon is 1234.") is not None
    _, infos = env.reset()
    for n in range(80):
        if n == 2:
            env.inject("player_0", "message", "The door code of the moon is 1234.")
        info = infos["player_0"]
        known = env.made.truth
        text = info["need"]["plan"][known[info["need"]["subject"]]] if "need" in info else info["plan"]
        value = next(one["value"] for one in info["legal_actions"] if one["text"] == text)
        _, _, _, _, infos = env.step({"player_0": value})
        if infos["player_0"]["answer_key"]["verdicts"]:
            break
    assert all(one["success"] for one in infos["player_0"]["answer_key"]["verdicts"]) and n < 79


def test_a_snapshot_of_another_configuration_is_refused():
    env = android_tasks(seed=1)
    env.reset()
    with pytest.raises(CorruptFile):
        android_tasks(seed=1, mode="recorded").restore(env.snapshot())


@pytest.mark.parametrize("parameters", [{}, {"mode": "recorded", "seer": "other", "sessions": 1}])
def test_it_passes_the_checks_of_every_environment(parameters):
    report = check_environment("android-tasks", {"delay": 0, **parameters})
    assert report.passed, [one for one in report.findings if not one.passed]
