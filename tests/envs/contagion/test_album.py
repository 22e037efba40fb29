"""The world of albums: its contract, what a round is, and that a saved world goes on as before."""

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.utils import parallel_to_aec

from simonides.envs.contagion.album import album, asking_tick
from simonides.envs.contagion.vectorised import meetings, round_generator
from simonides.sim.errors import CorruptFile, StudyError


def played(env, ticks, say="a heron"):
    _, infos = env.reset(seed=7)
    for _ in range(ticks):
        _, _, _, _, infos = env.step({agent: say if "shows" in infos[agent] else "" for agent in env.agents})
    return infos


@pytest.mark.filterwarnings("ignore:Observation:UserWarning", "ignore:Action space:UserWarning")  # texts, not arrays
def test_the_world_passes_pettingzoos_tests():
    parallel_api_test(album(agents=6, rounds=4), num_cycles=30)
    parallel_seed_test(lambda: album(agents=6, rounds=4), num_cycles=8)
    api_test(parallel_to_aec(album(agents=6, rounds=4)), num_cycles=60)


def test_a_round_is_the_meetings_of_the_arrays():
    env = album(agents=10, rounds=5, beta=0.5)
    met = meetings(round_generator(7, 1), 10, env.alpha, env.beta)
    asked = played(env, asking_tick(1))
    shows = {agent: info["shows"] for agent, info in asked.items() if "shows" in info}
    pairs = zip(met.questioners.tolist(), met.answerers.tolist(), strict=True)
    assert shows == {f"player_{who}": f"player_{to}" for who, to in pairs}
    assert [asked[f"player_{who}"]["retrieves"] for who in met.questioners] == met.retrieved.tolist()
    told = played(env, asking_tick(1) + 1)
    lived = {agent: info["experiences"] for agent, info in told.items() if info["experiences"]}
    assert sorted(lived) == sorted(shows.values()) and all(len(one) == 1 for one in lived.values())
    accepts = ["heard" in lived[f"player_{to}"][0] for to in met.answerers]
    assert accepts == met.accepted.tolist() and len(set(accepts)) == 2


def test_what_is_heard_names_who_said_it_and_when():
    told = played(album(agents=4, beta=1.0), asking_tick(0) + 1)
    heard = [e for info in told.values() for e in info["experiences"]]
    assert [e["text"] for e in heard] == ["a heron"] * 2
    assert all(e["heard"] == [e["speaker"], asking_tick(0)] for e in heard)


def test_who_is_shown_nothing_stores_a_picture_of_its_own():
    told = played(album(agents=4, beta=1.0), asking_tick(0) + 1, say="")
    lived = [e for info in told.values() for e in info["experiences"]]
    assert len(lived) == 2 and all("heard" not in e and e["text"].startswith("Picture ") for e in lived)


def test_a_saved_world_goes_on_as_before():
    one, other = album(agents=8, rounds=6), album(agents=8, rounds=6)
    played(one, 5)
    other.restore(one.snapshot())
    for _ in range(4):
        said = {agent: f"by {agent}" for agent in one.agents}
        assert repr(one.step(said)) == repr(other.step(said))
    with pytest.raises(CorruptFile, match="not of an album world of these parameters"):
        album(agents=6).restore(one.snapshot())


def test_it_ends_after_its_rounds_and_is_drawn():
    env = album(agents=4, rounds=3)
    env.reset()
    ticks = 0
    while env.agents:
        env.step(dict.fromkeys(env.agents, ""))
        ticks += 1
    assert ticks == asking_tick(3)
    assert env.render().shape == (640, 640, 3) and env.render().dtype == np.uint8


def test_an_odd_number_of_agents_is_refused():
    with pytest.raises(StudyError, match="their number is even; found 5"):
        album(agents=5)
