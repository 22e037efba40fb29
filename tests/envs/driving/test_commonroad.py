"""Recorded traffic: the loader against both versions of the format, and prediction through fog."""

import os
from pathlib import Path

import numpy as np
import pytest
from falsehoods import is_whole
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.utils.conversions import parallel_to_aec

from simonides.envs.driving.commonroad import read, scenarios
from simonides.envs.driving.recorded import GRAMMAR, SPEEDS, commonroad
from simonides.sim.codec import encode
from simonides.sim.errors import CorruptFile, DataError, StudyError

STATE = """<state><position><point><x>{x}</x><y>{y}</y></point></position><orientation><exact>0.0</exact></orientation>
<time><exact>{t}</exact></time><velocity><exact>{v}</exact></velocity></state>"""


def vehicle(number, speed, y, steps=60):
    states = [STATE.format(x=speed * 0.1 * t, y=y, t=t, v=speed) for t in range(steps)]
    first = states[0].replace("<state>", "<initialState>").replace("</state>", "</initialState>")
    return f"""<dynamicObstacle id="{number}"><type>car</type><shape><rectangle><length>4.5</length><width>1.8</width>
    </rectangle></shape>{first}<trajectory>{"".join(states[1:])}</trajectory></dynamicObstacle>"""


@pytest.fixture
def made_up(tmp_path):
    lane = "<point><x>0</x><y>{y}</y></point><point><x>99</x><y>{y}</y></point>"
    left, right = (f"<{side}Bound>{lane.format(y=y)}</{side}Bound>" for side, y in (("left", 2), ("right", -2)))
    lanelet = f'<lanelet id="1">{left}{right}</lanelet>'
    cars = "".join(vehicle(10 + i, 5.0 + i, 4.0 * i) for i in range(6))
    path = tmp_path / "XXX_Made-1_1_T-1.xml"
    path.write_text(
        f'<commonRoad benchmarkID="Made" timeStepSize="0.1" commonRoadVersion="2020a">{lanelet}{cars}</commonRoad>'
    )
    return path


def played(env, answer):
    _, infos = env.reset()
    verdicts, last = [], {}
    while env.agents:
        info = infos["player_0"]
        last |= {claim.subject: claim.value for claim in GRAMMAR.read(info["text"])}
        legal = {one["text"]: one["value"] for one in info["legal_actions"]}
        need = info.get("need")
        action = legal[need["plan"][answer(need, last)]] if need else legal[info["plan"]]
        _, _, _, _, infos = env.step({"player_0": action})
        verdicts += infos["player_0"]["answer_key"]["verdicts"]
    return verdicts


def remembering(need, last):
    return last.get(need["subject"], SPEEDS[0])


def test_tracks_lanes_and_times_are_read(made_up):
    found = read(made_up)
    assert (found.name, found.dt, found.steps, len(found.lanes), len(found.tracks)) == ("Made", 0.1, 60, 1, 6)
    track = found.tracks["vehicle 12"]
    assert track.length == 4.5 and track.at(10).tolist() == pytest.approx([7.0, 8.0, 0.0, 7.0])
    assert track.at(60) is None and track.at(-1) is None


def test_who_remembers_a_steady_speed_predicts_it(made_up):
    verdicts = [verdict for seed in range(6) for verdict in played(commonroad(str(made_up), seed), remembering)]
    assert len(verdicts) == 12 and all(verdict["success"] for verdict in verdicts)
    hidden = [v for seed in range(12) for v in played(commonroad(str(made_up), seed, reveal=False), remembering)]
    assert {verdict["seen"] for verdict in hidden} == {-1}
    assert 0 < sum(verdict["success"] for verdict in hidden) < len(hidden)


def test_the_environment_passes_pettingzoos_tests(made_up):
    parallel_api_test(commonroad(str(made_up)), num_cycles=20)
    parallel_seed_test(lambda: commonroad(str(made_up)), num_cycles=10)


@pytest.mark.filterwarnings("ignore:Observation numpy array is all zeros")
def test_the_environment_passes_the_aec_api_test(made_up):
    api_test(parallel_to_aec(commonroad(str(made_up))), num_cycles=10)


def test_a_restored_world_goes_on_identically_from_any_tick(made_up):
    one, two = commonroad(str(made_up), 3), commonroad(str(made_up), 3)
    one.reset()
    one.inject("player_0", "report", "The speed of vehicle 10 is high.")
    while one.agents:
        two.restore(one.snapshot())
        action = {"player_0": 1 if one._asks else 0}
        assert encode(two.step(action)) == encode(one.step(action))
    with pytest.raises(CorruptFile, match="another recording"):
        commonroad(str(made_up), delay=2).restore(two.snapshot())


def test_fog_hides_all_and_histories_are_remembered(made_up):
    env = commonroad(str(made_up), 4)
    env.reset()
    *_, infos = env.step({"player_0": 0})
    vectors = infos["player_0"]["experiences"][0]["metadata"]["vectors"]
    assert vectors["motion"].shape == (len(vectors["ids"]), 8, 7) and len(vectors["ids"]) == 5
    env.step({"player_0": 0})
    observations, *_, infos = env.step({"player_0": 0})
    assert "Fog" in infos["player_0"]["text"] and not observations["player_0"][7:].any()


def test_an_illegal_answer_is_counted_and_named(made_up):
    env = commonroad(str(made_up), 4)
    env.reset()
    *_, infos = env.step({"player_0": 2})
    assert infos["player_0"]["illegal"] == {"asked": 2, "legal": ["drive on"]}
    assert infos["player_0"]["answer_key"]["illegal"] == 1


def test_a_falsehood_is_false(made_up):
    for seed in range(5):
        env = commonroad(str(made_up), seed)
        env.reset()
        false = env.falsehood(np.random.default_rng(seed))
        truth = {verdict["subject"]: verdict["truth"] for verdict in played(env, remembering)}
        assert truth[false["subject"]] == false["truth"]
        assert is_whole(env, false)


def test_files_that_are_none_are_refused(tmp_path, made_up):
    for text, what in (("<a/>", "root is <a>"), ("<commonRoad/>", "nothing to replay"), ("<co", "ParseError"),
                       ('<!DOCTYPE x [<!ENTITY a "b">]><commonRoad/>', "document type")):  # fmt: skip
        (tmp_path / "bad.xml").write_text(text)
        with pytest.raises(DataError, match=what):
            read(tmp_path / "bad.xml")
    with pytest.raises(DataError, match="simonides data fetch commonroad"):
        scenarios(tmp_path / "nothing")
    with pytest.raises(DataError, match="use a longer one"):
        commonroad(str(made_up), watch=30)
    with pytest.raises(StudyError, match="Known: "):
        commonroad(str(made_up), scenario="USA")


@pytest.mark.data
def test_released_scenarios_are_read_and_replayed():
    folder = os.environ.get("SIMONIDES_DATA")
    if not folder or not (Path(folder) / "commonroad").is_dir():
        pytest.skip("SIMONIDES_DATA names no folder with commonroad/")
    found = {}
    for path in scenarios(Path(folder) / "commonroad"):
        if path.stem != "ZAM_Over-1_1":  # one car that stands
            found[path.stem] = read(path)
    assert len(found["USA_US101-4_1_T-1"].tracks) == 22 and found["USA_US101-4_1_T-1"].steps == 101
    assert len(found["DEU_A9-3_1_T-1"].tracks) == 9 and found["DEU_A9-3_1_T-1"].dt == 0.2
    with pytest.raises(DataError, match="nothing to replay"):
        read(Path(folder) / "commonroad" / "ZAM_Over-1_1.xml")
    env = commonroad(str(Path(folder) / "commonroad"), scenario="USA_US101-4_1_T-1")
    assert len(played(env, remembering)) == 2
    assert env.render().shape == (400, 640, 3)
