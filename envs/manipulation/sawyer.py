"""One Meta-World scene with two tasks in it: a marker to reach for, and a puck to bring to a place.

Physics, success criteria and experts are Meta-World's (arXiv:1910.10897; metaworld 3.1.1); experts get the goal
that the caller names, in the last three numbers of the observation, as there.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP

from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile

Floats = npt.NDArray[np.float64]

State = mujoco.mjtState.mjSTATE_INTEGRATION
REST = (0.0, 0.6, 0.2)
"""Where the hand waits, in metres; Meta-World's own for these tasks."""
REACHED = 0.05
"""Metres from the goal at which Meta-World calls `reach-v3` solved."""
PLACED: Mapping[str, float] = {"pick-place-v3": 0.07, "push-v3": 0.05}
"""The same for the tasks with the puck."""
WELL = 0.8
"""Share of that distance within which the puck counts as there to stay."""
LONGEST = 200
"""Steps after which an expert is broken off; in our trials they took 98 at most."""
SETTLE = 10
"""Steps for which the expert goes on once the criterion is met, so that the hand and the puck come to rest."""
START = (0.0, 0.65)
"""Where the puck lies at first, give or take 3 cm each way, in metres."""


class Sawyer:
    """A Meta-World world: one robot, a puck, and a goal that only who asks knows."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.env: Any = ALL_V3_ENVIRONMENTS[task]()
        self.env._freeze_rand_vec, self.env._set_task_called = True, True
        self.env._partially_observable = False
        experts: Mapping[str, Any] = ENV_POLICY_MAP
        self._reach, self._bring = experts["reach-v3"](), experts[task]()
        self._size = mujoco.mj_stateSize(self.env.model, State)
        self._renderer: Any = None

    def reset(self, puck: tuple[float, float], goal: tuple[float, float, float]) -> None:
        """Start again with the puck at (x, y) and the goal of the second task at `goal`."""
        self.env._last_rand_vec = np.array([*puck, 0.02, *goal])
        observation, _ = self.env.reset()
        self.observation: Floats = observation
        self.failed, self.steps = "", 0

    def reach(self, goal: tuple[float, float, float], within: float = REACHED / 2) -> None:
        """Let the expert of `reach-v3` bring the hand to a place."""
        for _ in range(LONGEST):
            if self.failed or np.linalg.norm(self.observation[:3] - goal) <= within:
                return
            self._step(self._reach, goal)

    def bring(self, goal: tuple[float, float, float]) -> None:
        """Let the expert of the second task bring the puck to a place."""
        left = SETTLE
        for _ in range(LONGEST):
            if self.failed or not left:
                return
            self._step(self._bring, goal)
            left -= self.distance(goal) <= WELL * PLACED[self.task]

    def wait(self, steps: int = 5) -> None:
        """Do nothing for some steps."""
        for _ in range(steps):
            if not self.failed:
                self._step(None, REST)

    def _step(self, expert: Any, goal: tuple[float, float, float]) -> None:
        seen = self.observation.copy()
        seen[-3:] = goal
        action = np.zeros(4) if expert is None else _advice(expert, seen)
        self.env.curr_path_length = 0  # its horizon is one task's; ours is the chain's
        self.observation = self.env.step(action.astype(np.float32))[0]
        self.steps += 1
        self.failed = self._diverged()

    def _diverged(self) -> str:
        data = self.env.data
        bad = any(data.warning[int(one)].number for one in UNSTABLE)
        finite = np.isfinite(self.observation).all() and np.isfinite(data.qpos).all()
        if self.env._did_see_sim_exception or bad or not finite:
            return "the physics diverged: a position or acceleration is not a finite number"
        return ""

    @property
    def puck(self) -> Floats:
        """Return float64[3], where the puck is, in metres."""
        return self.observation[4:7]

    def distance(self, goal: tuple[float, float, float]) -> float:
        """Return how far the puck is from a place, in metres."""
        return float(np.linalg.norm(self.puck - goal))

    def show(self, goal: tuple[float, float, float]) -> None:
        """Put the marker at a place; one below the table is not seen. It is no part of the physics."""
        self.env.model.site("goal").pos = goal

    def snapshot(self) -> bytes:
        """Return the state of the physics and what Meta-World keeps beside it."""
        physics = np.empty(self._size)
        mujoco.mj_getState(self.env.model, self.env.data, physics, State)
        kept = {name: np.asarray(getattr(self.env, name), np.float64) for name in KEPT}
        return encode(
            {"physics": physics.tobytes(), "kept": kept, "seen": self.observation.tobytes(), "failed": self.failed,
             "steps": self.steps, "vector": np.asarray(self.env._last_rand_vec, np.float64)}
        )  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Go to a snapshot's state. Raises CorruptFile if it is of another scene."""
        state: Any = decode(data)
        if not isinstance(state, dict) or len(state.get("physics", b"")) != 8 * self._size:
            raise CorruptFile("This snapshot is not of this Meta-World scene; build the same one first.")
        self.env._last_rand_vec = state["vector"]
        self.env.reset()
        mujoco.mj_setState(self.env.model, self.env.data, np.frombuffer(state["physics"]).copy(), State)
        for name, value in state["kept"].items():
            setattr(self.env, name, value.copy())
        self.observation = np.frombuffer(state["seen"]).copy()
        self.failed, self.steps = state["failed"], state["steps"]

    def render(self) -> npt.NDArray[np.uint8]:
        """Return uint8[360, 480, 3]. Needs MUJOCO_GL=egl or osmesa where there is no screen."""
        model, data = self.env.model, self.env.data
        if self._renderer is None:
            model.vis.global_.offwidth, model.vis.global_.offheight = 640, 480
            self._renderer = mujoco.Renderer(model, 360, 480)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_camlight(model, data)
        camera = mujoco.MjvCamera()
        camera.lookat, camera.distance, camera.azimuth, camera.elevation = [0, 0.72, 0.1], 1.25, 225.0, -35.0
        self._renderer.update_scene(data, camera)
        return self._renderer.render()  # type: ignore[no-any-return]

    def close(self) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


UNSTABLE = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)

KEPT = ("_prev_obs", "_target_pos", "init_tcp", "obj_init_pos", "init_left_pad", "init_right_pad")
"""What Meta-World keeps between steps, besides the physics."""


def _advice(expert: Any, seen: Floats) -> Floats:
    """Return an expert's action within [-1, 1]; that it asks for more is what Meta-World warns of at every step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return np.clip(expert.get_action(seen), -1, 1)  # type: ignore[no-any-return]
