"""The dialogue environment: the PettingZoo contract, what is told to whom, and going on from a snapshot."""

import warnings

import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.utils.conversions import parallel_to_aec

from simonides.envs.dialogue.conversation import Conversation, Question, Session, Turn, heard_by_one
from simonides.envs.dialogue.env import DialogueEnv, dialogue
from simonides.envs.text_space import AnyText
from simonides.sim.codec import canonical
from simonides.sim.errors import CorruptFile


def talk() -> Conversation:
    first = Session(
        1, 100.0, (Turn("D1:1", "Ann", "Hi.", 100.0), Turn("D1:2", "Bo", "Look!", 101.0, "a cat")), ("Ann", "Bo")
    )
    second = Session(2, 900.0, (Turn("D2:1", "Cy", "I moved to Cork.", 900.0),), ("Bo", "Cy"))
    questions = (
        Question(
            "q0", "Where does Cy live?", "Cork", 4, "single-hop", ("D2:1",), "Ann", 999.0, heard=False, reach="team"
        ),
        Question("q1", "What did Ann buy?", "", 5, "adversarial", ("D2:1",), "Bo", 999.0, adversarial="a boat"),
        Question("q2", "Where is Cy?", "the Cork", 4, "single-hop", ("D2:1",), "Bo", 999.0),
    )
    return Conversation("talk", ("Ann", "Bo", "Cy"), (("Ann", "Bo"), ("Cy",)), (first, second), questions)


def play(env, answers=""):
    """Return every tick's infos and the rewards that followed."""
    _, infos = env.reset()
    told = []
    while env.agents:
        _, rewards, _, _, after = env.step(dict.fromkeys(env.agents, answers))
        told.append((infos, rewards))
        infos = after
    return told


def test_the_environment_passes_the_parallel_api_test():
    parallel_api_test(dialogue(seed=1), num_cycles=300)
    parallel_api_test(DialogueEnv(talk()), num_cycles=300)


def test_the_environment_passes_the_seed_test():
    parallel_seed_test(lambda: dialogue(seed=1), num_cycles=200)


def test_the_environment_passes_the_aec_api_test():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Observation is not a NumPy array")
        warnings.filterwarnings("ignore", message="Observation space for each agent probably should be")
        warnings.filterwarnings("ignore", message="Action space for each agent probably should be")
        api_test(parallel_to_aec(dialogue(seed=1)), num_cycles=200)


def test_a_space_of_words_holds_any_unicode_and_nothing_else():
    space = AnyText()
    assert space.contains("") and space.contains("Zoë said “你好” 🙂\n")
    assert not space.contains(3) and not space.contains("x" * 1_000_001)
    space.seed(1)
    samples = [space.sample() for _ in range(20)]
    space.seed(1)
    assert samples == [space.sample() for _ in range(20)] and len(set(samples)) > 10


def test_a_turn_is_heard_by_those_who_are_present_and_by_nobody_else():
    (first, _), (second, _), (third, _), *_ = play(DialogueEnv(talk()))
    assert second["player_0"]["text"] == 'Bo said, "Look!" and shared a cat'
    assert second["player_0"]["experiences"] == [
        {"text": 'Bo said, "Look!" and shared a cat', "speaker": "Bo", "metadata": {"ref": "D1:2"}}
    ]
    assert first["player_2"]["text"] == "" and first["player_2"]["experiences"] == []
    assert third["player_0"]["experiences"] == [] and third["player_2"]["experiences"]


def test_sessions_end_with_their_last_turn_and_time_is_the_turns():
    ticks = [infos["player_0"] for infos, _ in play(DialogueEnv(talk()))]
    assert [t["session_end"] for t in ticks] == [False, True, True, False, False]
    assert [t["time"] for t in ticks[:3]] == [100.0, 101.0, 900.0]
    assert [t["session"] for t in ticks[:3]] == [1, 1, 2]
    assert [t["probe"] for t in ticks] == [False, False, False, True, True]


def test_each_agent_is_asked_its_own_questions_one_a_tick():
    *_, (first, _), (second, _) = play(DialogueEnv(talk()))
    assert [first[a].get("question_id") for a in sorted(first)] == ["q0", "q1", None]
    assert [second[a].get("question_id") for a in sorted(second)] == [None, "q2", None]
    key = first["player_0"]["answer_key"]
    assert (key["answer"], key["evidence"], key["heard"], key["reach"]) == ("Cork", ["D2:1"], False, "team")
    seen = {k: v for k, v in first["player_0"].items() if k != "answer_key"}
    assert "Cork" not in str(seen) and "category" not in seen


def test_exact_answers_and_refusals_are_rewarded():
    assert [r for _, r in play(DialogueEnv(talk()), "cork!")][-2:] == [
        {"player_0": 1.0, "player_1": 0.0, "player_2": 0.0},
        {"player_0": 0.0, "player_1": 1.0, "player_2": 0.0},
    ]
    assert play(DialogueEnv(talk()), "No information available.")[-2][1]["player_1"] == 1.0


@pytest.mark.parametrize("stop", [0, 1, 70, 141])
def test_a_restored_environment_goes_on_as_the_first_would_have(stop):
    env = dialogue(seed=4)
    env.reset()
    for _ in range(stop):
        env.step({})
    saved = env.snapshot()
    rest = [canonical(env.step(dict.fromkeys(env.agents, "x"))) for _ in range(3)]
    other = dialogue(seed=4)
    other.reset()
    other.restore(saved)
    assert rest == [canonical(other.step(dict.fromkeys(other.agents, "x"))) for _ in range(3)]


def test_a_snapshot_of_another_conversation_is_refused():
    env, other = dialogue(seed=4), dialogue(seed=5)
    env.reset()
    with pytest.raises(CorruptFile, match="not of conversation"):
        other.restore(env.snapshot())


def test_a_single_reader_hears_and_answers_everything():
    env = DialogueEnv(heard_by_one(talk()))
    ticks = play(env)
    assert env.possible_agents == ["player_0"] and len(ticks) == 6
    assert all(infos["player_0"]["experiences"] for infos, _ in ticks[:3])


def test_teams_are_told_by_agent():
    assert DialogueEnv(talk()).teams == {"player_0": "team-0", "player_1": "team-0", "player_2": "team-1"}
