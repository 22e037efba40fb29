"""The towns in MetaDrive: a start without its assets, their contract, several worlds on one engine."""

import hashlib

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

pytest.importorskip("simonides.envs.driving.metadrive_world", reason="needs the extra metadrive", exc_type=ImportError)

from simonides.envs.driving import assets
from simonides.envs.driving.controller import Path
from simonides.envs.driving.metadrive_check import told
from simonides.envs.driving.metadrive_maps import CANDIDATES
from simonides.envs.driving.metadrive_world import KEPT, MetaDriveWorld, metadrive
from simonides.envs.driving.ride import Order, Ride
from simonides.envs.driving.scene import Scene
from simonides.sim.codec import encode
from simonides.sim.errors import CorruptFile, DataError, MissingExtra

pytestmark = pytest.mark.filterwarnings(
    "ignore:pkg_resources is deprecated", "ignore:.*progressbar", "ignore::DeprecationWarning:metadrive"
)


def wrong(values, truth):
    return next(value for value in values if value != truth)


def test_the_folder_that_stands_for_the_assets_is_written_once_and_checked(monkeypatch, tmp_path):
    monkeypatch.setenv("SIMONIDES_CACHE", str(tmp_path))
    folder = assets.asset_folder()
    assert folder == tmp_path / "metadrive" / "0.4.3" == assets.asset_folder()
    for name, expected in assets.SHA256.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected
    (folder / "version.txt").write_text("9")
    with pytest.raises(DataError, match="something else wrote it"):
        assets.asset_folder()


def test_another_version_of_metadrive_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("SIMONIDES_CACHE", str(tmp_path))
    monkeypatch.setattr(assets, "version", lambda _: "0.4.4")
    with pytest.raises(MissingExtra, match=r"only 0\.4\.3 is known"):
        assets.asset_folder()
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_town_passes_pettingzoos_tests():
    parallel_api_test(metadrive(sessions=0, distractors=0), num_cycles=12)
    parallel_seed_test(lambda: metadrive(sessions=0, distractors=0), num_cycles=6)


@pytest.mark.parametrize("task", ["closure", "hazard", "right-of-way"])
def test_who_believes_the_truth_gets_through_and_who_does_not_fails(task, play):
    env = metadrive(seed=3, task=task, sessions=0)
    (right,), (false,) = play(env), play(env, wrong)
    assert right["success"] and not false["success"]


@pytest.mark.slow
def test_four_cars_share_a_convoy(play):
    verdicts = play(metadrive(seed=4, task="convoy", cars=4, sessions=0))
    assert len(verdicts) == 12 and all(verdict["success"] for verdict in verdicts)


def trace(env, ticks):
    found = []
    for _ in range(ticks):
        if env.agents:
            infos = {agent: env._info(agent) for agent in env.agents}
            found.append(encode(env.step({a: info["legal_actions"][0]["value"] for a, info in infos.items()})))
    return found


def test_a_restored_town_goes_on_identically_from_any_tick():
    one, two = metadrive(seed=5, sessions=0), metadrive(seed=5, sessions=0)
    one.reset()
    for _ in range(4):
        kept = one.snapshot()
        two.restore(kept)
        there = trace(two, 1)
        assert trace(one, 1) == there
    with pytest.raises(CorruptFile, match="another town"):
        metadrive(seed=5, sessions=2).restore(kept)


def test_two_worlds_on_the_process_engine_do_not_disturb_each_other():
    alone, interleaved, other = (
        metadrive(seed=6, sessions=0),
        metadrive(seed=6, sessions=0),
        metadrive(seed=7, sessions=0),
    )
    alone.reset()
    expected = trace(alone, 5)
    interleaved.reset()
    other.reset()
    found = []
    for _ in range(5):
        found += trace(interleaved, 1)
        trace(other, 1)
    assert found == expected


def test_a_rejected_map_is_rejected_for_what_happens_on_it():
    left_out = [number for number in range(len(CANDIDATES)) if number not in KEPT]
    assert [CANDIDATES[number].name for number in left_out] == ["roundabout, radius 15 m", "roundabout, radius 45 m"]
    assert not told(left_out[0], 1).kept


@pytest.mark.slow
@pytest.mark.parametrize("number", KEPT)
def test_a_kept_map_is_driven_through_by_who_is_told_the_road(number):
    assert told(number, 1).kept


@pytest.mark.parametrize("number", KEPT)
def test_obstacles_stand_out_of_sight_of_the_stop_line(number):
    roads = CANDIDATES[number].roads
    scene = Scene(("car",), "main", roads, "barrier", tuple(range(roads)), False, 0, 0, 1)
    world = MetaDriveWorld((number,))
    world.place(scene)
    x, y = Path(world.path("main", 0)).at(world.line("main"))
    things = [body for name, body in world.bodies().items() if name.startswith("barrier")]
    assert len(things) == roads
    assert all(np.hypot(body.x - x, body.y - y) > body.sight for body in things)


def test_a_picture_shows_the_junction():
    world = MetaDriveWorld()
    ride = Ride(world, Scene(("car",), "main", 3, "barrier", (0, 2), False, 0, 0, 1))
    ride.drive({"car": Order("on")})
    picture = world.picture(["car"])
    assert picture.shape == (400, 640, 3) and picture.dtype == np.uint8
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 3
