"""The physics: lids cover, hands hold by contact, a saved cell goes on to the last bit."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("mujoco", reason="needs the extra manipulation")

from simonides.envs.manipulation import skills
from simonides.envs.manipulation.arm import HOME, OPEN, joints
from simonides.envs.manipulation.cell import AJAR, SHUT, Cell
from simonides.envs.manipulation.hiding import HideAndRecall
from simonides.sim.errors import CorruptFile

BIN, CUBE = "left bin", "red cube"


def a_cell(stations: int = 1) -> Cell:
    cell = Cell(HideAndRecall(stations, 2, 0, "hand").layout)
    for station in range(stations):
        cell.put(station, CUBE, cell.layout.bins[BIN])
    cell.ready()
    return cell


def run(cell: Cell, *paths, steps: int = 0) -> None:
    for arm, path in zip(cell.arms, paths, strict=False):
        arm.start(path)
    while steps > 0 or cell.busy or any(arm.path for arm in cell.arms):
        for arm in cell.arms:
            arm.follow()
        cell.step()
        steps -= 1
    cell.ready()


def shut(cell: Cell) -> Cell:
    cell.close_lids(0, list(cell.layout.bins))
    run(cell)
    return cell


@pytest.mark.parametrize("pose", [HOME, (0.5, 1.0, 0.05, 0.3), (0.25, -2.0, 0.3, -1.0)])
def test_the_arm_goes_where_it_is_told(pose):
    cell = a_cell()
    cell.arms[0].command = pose
    address = [cell.model.joint(f"0/{name}").qposadr[0] for name in ("yaw", "shoulder", "elbow", "tilt", "roll")]
    cell.data.qpos[address] = joints(pose)
    cell.ready()
    grip = cell.data.site("0/grip")
    assert np.allclose(grip.xpos, [pose[0] * math.cos(pose[1]), pose[0] * math.sin(pose[1]), pose[2]], atol=1e-6)
    assert np.allclose(grip.xmat.reshape(3, 3)[:, 0], [0, 0, -1], atol=1e-6)  # the hand points down


def test_a_closed_lid_hides_what_is_in_the_bin():
    cell = a_cell()
    assert cell.seen(0, CUBE)
    assert not shut(cell).seen(0, CUBE)
    assert cell.opened(0, BIN) < SHUT


def test_a_hand_pulls_a_lid_open_by_its_knob_and_the_others_latch():
    cell = shut(a_cell())
    cell.interlock(0)
    run(cell, skills.open_lid(cell, 0, BIN))
    assert cell.opened(0, BIN) > AJAR
    assert cell.seen(0, CUBE)
    run(cell, skills.open_lid(cell, 0, "right bin"))
    assert cell.opened(0, "right bin") < SHUT


def test_a_latched_lid_does_not_open():
    cell = shut(a_cell())
    run(cell, skills.open_lid(cell, 0, BIN))
    assert cell.opened(0, BIN) < SHUT


def test_a_lid_that_was_opened_is_pushed_shut_by_the_skill():
    cell = a_cell()
    run(cell, skills.close_lid(cell, 0, BIN))
    assert cell.opened(0, BIN) < 0.02


def test_contact_alone_holds_an_object():
    cell = a_cell()
    run(cell, skills.pick(cell, 0, 0, CUBE))
    assert cell.held(0, 0, CUBE)
    run(cell, [], steps=50)
    assert cell.held(0, 0, CUBE)
    cell.arms[0].grip = 0.0
    run(cell, [], steps=20)
    assert not cell.lifted(0, CUBE)
    assert cell.model.neq == 2  # the latches: nothing welds an object to a hand


def test_the_hand_opens_wider_than_what_it_grips():
    assert 2 * OPEN > 0.04


@pytest.mark.parametrize("at", [0, 7, 30])
def test_a_restored_cell_goes_on_to_the_last_bit(at):
    cell, other = a_cell(), a_cell()
    cell.arms[0].start(skills.pick(cell, 0, 0, CUBE))
    for _ in range(at):
        cell.arms[0].follow()
        cell.step()
    saved = cell.snapshot()
    other.restore(saved)
    for one in (cell, other):
        for _ in range(40):
            one.arms[0].follow()
            one.step()
    assert cell.snapshot() == other.snapshot()


def test_a_snapshot_of_another_scene_is_refused():
    with pytest.raises(CorruptFile, match="not of this scene"):
        a_cell().restore(a_cell(2).snapshot())


def test_arms_meet_half_way():
    for stations in (2, 4):
        cell = a_cell(stations)
        for arm in range(stations):
            places = []
            for one, other in ((arm, arm ^ 1), (arm ^ 1, arm)):
                r, angle = skills.meeting(cell, one, other)
                places.append(cell._world(one, r, angle, 0.0))
            assert np.allclose(*places, atol=1e-9)
