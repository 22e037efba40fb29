"""What every environment must hold: PettingZoo's and Gymnasium's own tests, and what traces, forks and readers need."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
from gymnasium.utils.env_checker import check_env
from pettingzoo.utils import parallel_to_aec

from simonides.envs.adapters import OneAgent
from simonides.envs.playing import Env, Player, Seen, play, start
from simonides.sim.checks.report import Check, NotApplicable, Subject, demand
from simonides.sim.needs import Need, Verdict
from simonides.sim.registry import registry
from simonides.sim.render import legal_actions

with warnings.catch_warnings():  # its tests load games that it has deprecated itself
    warnings.simplefilter("ignore", DeprecationWarning)
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test

STEPS = 40
"""Steps that a check plays, at most."""

EPISODE = 2_000
"""Steps after which an episode counts as endless."""

TRIED = 12
"""Legal actions of one observation that are tried one by one."""

LIMIT = 600.0
"""Seconds for the other process."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the libraries' tests print and warn of to themselves: what they demand, they raise."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


async def _parallel(subject: Subject) -> None:
    with _quiet(), closing(subject.make()) as env:
        parallel_api_test(env, num_cycles=STEPS)


async def _seeded(subject: Subject) -> None:
    made: list[Env] = []

    def make() -> Env:
        made.append(subject.make())
        return made[-1]

    try:
        with _quiet():
            parallel_seed_test(make, num_cycles=STEPS)
    finally:
        for env in made:
            env.close()


async def _by_turns(subject: Subject) -> None:
    with _quiet(), closing(subject.make()) as env:
        api_test(parallel_to_aec(env), num_cycles=STEPS)


async def _single(subject: Subject) -> None:
    with _quiet(), closing(subject.make()) as env:
        check_env(OneAgent(env), skip_render_check=True, skip_close_check=True)


def digests(env: Env, seed: int = 1) -> list[str]:
    """Return the digest of what an environment shows at each step of a short play."""
    seen = start(env, seed)
    return [seen.digest(), *(one.digest() for one in play(env, Player(seed), seen, 0, STEPS))]


async def _same(subject: Subject) -> None:
    with closing(subject.make()) as env:
        first, again = digests(env), digests(env)
    with closing(subject.make()) as env:
        other = digests(env)
    advice = "draw everything from the seed of reset(), and leave nothing behind from the episode before"
    for name, found in (("reset with the same seed", again), ("another instance", other)):
        step = next((i for i, (a, b) in enumerate(zip(first, found, strict=False)) if a != b), None)
        demand(first == found, f"{name} shows the same", f"a difference at step {step}", advice)


async def _elsewhere(subject: Subject) -> None:
    if not subject.target:
        raise NotApplicable("it was handed over as a class, which another process cannot find")
    with closing(subject.make()) as env:
        here = digests(env)
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "simonides.envs.checking", subject.target, json.dumps(dict(subject.params))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False)
    tail = done.stderr.strip().splitlines()[-1:]
    demand(done.returncode == 0, "it can be built in another process", tail, "import what it needs in its module")
    advice = "sort sets before iterating over them, and use hashlib where you use hash()"
    there = json.loads(done.stdout.strip().splitlines()[-1])
    demand(there == here, "another process sees the same", "a difference", advice)


async def _saved(subject: Subject) -> None:
    advice = "put everything that the next step depends on into snapshot()"
    with closing(subject.make()) as env:
        if not (hasattr(env, "snapshot") and hasattr(env, "restore")):
            raise NotApplicable("it has no snapshot and restore; actions are replayed from the reset")
        for at in (0, 1, 7, STEPS // 2):
            player, shown = Player(3), [start(env, 2)]
            shown += play(env, player, shown[0], 0, at)
            if not env.agents:
                break
            saved = env.snapshot()
            demand(isinstance(saved, bytes), "snapshot() returns bytes", type(saved), "use simonides.sim.codec.encode")
            on = [one.digest() for one in play(env, player, shown[-1], at, 10)]
            env.restore(saved)
            back = [one.digest() for one in play(env, player, shown[-1], at, 10)]
            demand(on == back, f"restored at step {at}, it goes on as before", _first(on, back), advice)
            demand(_in_another(subject, saved, player, shown[-1], at) == on, f"so does another instance at step {at}",
                   "a difference", advice)  # fmt: skip


def _first(one: list[str], other: list[str]) -> str:
    step = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"a difference {step + 1} steps later"


def _in_another(subject: Subject, saved: bytes, player: Player, seen: Seen, at: int) -> list[str]:
    with closing(subject.make()) as env:
        env.reset(seed=5)
        env.restore(saved)
        return [one.digest() for one in play(env, player, seen, at, 10)]


def _plays(subject: Subject, seeds: int = 2) -> Iterator[tuple[Env, Seen]]:
    with closing(subject.make()) as env:
        for seed in range(seeds):
            seen = start(env, seed)
            yield env, seen
            for shown in play(env, Player(seed), seen, 0, STEPS):
                yield env, shown


async def _spaces(subject: Subject) -> None:
    for env, seen in _plays(subject):
        for agent, observation in seen.observations.items():
            space = env.observation_space(agent)
            demand(space.contains(observation), f"what {agent} sees is in {space}", repr(observation)[:200],
                   "declare the space that holds it")  # fmt: skip


async def _words(subject: Subject) -> None:
    """Every observation has words; every legal action is called something, is in the space, and is taken."""
    listed = False
    for env, seen in _plays(subject):
        for agent in env.agents:
            info = seen.infos[agent]
            text = info.get("text", seen.observations[agent])
            demand(isinstance(text, str), f"infos[{agent!r}]['text'] says what is seen", repr(text)[:80],
                   "add it, or wrap the environment in simonides.envs.words:InWords")  # fmt: skip
            for name, value in legal_actions(info).items():
                listed = True
                demand(env.action_space(agent).contains(value), f"{name!r} stands for an action of the space",
                       repr(value)[:80], "give each legal action a value of the action space")  # fmt: skip
    if not listed:
        raise NotApplicable("it lists no legal actions; an action is described by its schema or is free text")
    await _legal_are_taken(subject)


async def _legal_are_taken(subject: Subject) -> None:
    with closing(subject.make()) as env:
        if not hasattr(env, "restore"):
            return
        player, shown = Player(4), [start(env, 4)]
        for at in (0, 5):
            shown += play(env, player, shown[-1], len(shown) - 1, at - len(shown) + 1)
            if not env.agents:
                return
            saved, seen = env.snapshot(), shown[-1]
            agent = env.agents[0]
            for name, value in list(legal_actions(seen.infos[agent]).items())[:TRIED]:
                infos = env.step({**player.actions(env, seen, at), agent: value})[-1]
                found = infos.get(agent, {}).get("illegal")
                demand(not found, f"the legal action {name!r} is taken", found, "list only what is taken")
                env.restore(saved)


async def _illegal(subject: Subject) -> None:
    """An action that is not legal changes nothing but a count, and the next info names what is legal."""
    with closing(subject.make()) as env:
        player, shown = Player(6), [start(env, 6)]
        for step in range(10):
            agent, seen = env.agents[0], shown[-1]
            legal = list(legal_actions(seen.infos[agent]).values())
            free = "action_schema" in seen.infos[agent]  # the list names some actions, and the space holds more
            wrong = None if free else _wrong(env, agent, legal)
            if wrong is None:
                shown += play(env, player, seen, step, 1)
                if not env.agents:
                    break
                continue
            infos = env.step({**player.actions(env, seen, step), agent: wrong})[-1]
            told = infos[agent].get("illegal")
            demand(isinstance(told, dict) and {"asked", "legal"} <= set(told),
                   "the info after an illegal action has `illegal` with `asked` and `legal`", told,
                   "tell it, count it and do nothing")  # fmt: skip
            return
    raise NotApplicable("every action of its space was legal wherever it was tried")


def _wrong(env: Env, agent: str, legal: list[Any]) -> Any:
    if not legal:
        return None
    space = env.action_space(agent)
    space.seed(1)
    return next((one for one in (space.sample() for _ in range(50)) if not any(_equal(one, x) for x in legal)), None)


def _equal(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else bool(one == other)


async def _picture(subject: Subject) -> None:
    with closing(subject.make()) as env:
        if getattr(env, "render_mode", None) != "rgb_array":
            raise NotApplicable("its render_mode is not rgb_array")
        seen = start(env, 1)
        pictures = [env.render()]
        for _ in play(env, Player(1), seen, 0, 5):
            pictures.append(env.render())
    for picture in pictures:
        shape: tuple[int, ...] = getattr(picture, "shape", ())
        good = len(shape) == 3 and shape[-1] == 3 and picture.dtype == np.uint8 and min(shape[:2]) >= 32
        demand(good, "render() returns uint8[height, width, 3]", f"{type(picture).__name__}{shape}", "draw it so")
        demand(picture.min() != picture.max(), "the picture shows something", "one colour", "draw the scene")


# --- memory tasks -----------------------------------------------------------------------------------------------------


class Rememberer:
    """A reader with perfect memory: it believes the newest claim it has seen, and follows the plan."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.needs: dict[str, Need] = {}

    def actions(self, env: Env, seen: Seen) -> dict[str, Any]:
        """Note what everybody lives through, then return each living agent's planned action."""
        for info in seen.infos.values():
            self.texts += [one["text"] for one in info.get("experiences", ()) if "text" in one]
            self.texts += [str(info.get("text", ""))]
        return {agent: self._action(env, agent, seen) for agent in env.agents}

    def _action(self, env: Env, agent: str, seen: Seen) -> Any:
        info = seen.infos[agent]
        legal, need = legal_actions(info), Need.of(info)
        name = str(info.get("plan", ""))
        if need is not None:
            self.needs[f"{agent} {need.id}"] = need
            missing = [value for value in need.options if need.plan.get(value) not in legal]
            demand(not missing and len(set(need.options)) > 1, "each value of a need has a legal action as its plan",
                   missing or need.options, "plan for every option")  # fmt: skip
            name = need.plan[self.believed(need) or need.options[0]]
        demand(not name or name in legal, "the plan is a legal action", name, "list it, or plan another")
        return legal[name] if name else Player(0, wander=0.0).action(env, agent, info, 0)

    def believed(self, need: Need) -> str:
        """Return the newest value that was claimed, or ""."""
        claims = (claim for text in reversed(self.texts) for claim in reversed(need.grammar.read(text)))
        about = (c.value for c in claims if (c.subject, c.attribute) == (need.subject, need.attribute) and c.positive)
        return next((value for value in about if value in need.options), "")


def episode(env: Env, seed: int) -> tuple[Rememberer, list[Verdict], int]:
    """Play an episode with perfect memory; return the reader, the verdicts, and how many claims it had of its needs."""
    reader, verdicts, seen, known = Rememberer(), [], start(env, seed), set()
    for _ in range(EPISODE):
        actions = reader.actions(env, seen)
        for info in seen.infos.values():
            key = info.get("answer_key") or {}
            found = [Verdict(**{**one, "options": tuple(one["options"])}) for one in key.get("verdicts", ())]
            verdicts += found
        open_needs = {name: need for name, need in reader.needs.items() if need.id not in {v.need for v in verdicts}}
        known |= {name for name, need in open_needs.items() if reader.believed(need)}
        if not env.agents:
            break
        observations, rewards, ended, cut, infos = env.step(actions)
        seen = Seen(observations, infos, rewards, ended, cut)
        if not env.agents:
            break
    return reader, verdicts, len(known)


async def _remembered(subject: Subject) -> None:
    """Every need gets a verdict that an observation shows; with perfect memory most of them succeed."""
    succeeded = total = 0
    for seed in range(3):
        with closing(subject.make()) as env:
            reader, verdicts, _ = episode(env, seed)
            demand(not env.agents, "an episode ends", f"it went on after {EPISODE} steps", "end it")
        if not reader.needs:
            raise NotApplicable("it poses no needs: it is no memory task")
        judged = {verdict.need for verdict in verdicts}
        left = sorted(need.id for need in reader.needs.values() if need.id not in judged)
        demand(not left, "each need gets a verdict while agents still observe", f"none for {left}",
               "tell it with the next observation, and end the episode a tick later")  # fmt: skip
        for verdict in verdicts:
            demand(verdict.truth in verdict.options, "the truth is one of the options", verdict, "list it")
        succeeded, total = succeeded + sum(verdict.success for verdict in verdicts), total + len(verdicts)
    demand(succeeded * 2 > total, "a reader with perfect memory succeeds mostly", f"{succeeded} of {total}",
           "show the fact in the family's grammar, and plan for it")  # fmt: skip


async def _hidden(subject: Subject) -> None:
    """With `reveal=False` nobody learns what is needed from what is observed before the verdict."""
    try:
        env = subject.make(reveal=False)
    except Exception:
        raise NotApplicable("it has no parameter `reveal`") from None
    with closing(env):
        reader, _, known = episode(env, 1)
    if not reader.needs:
        raise NotApplicable("it poses no needs: it is no memory task")
    demand(known == 0, "with reveal=False no text claims what is needed", f"{known} of {len(reader.needs)} needs known",
           "hide the fact from texts and experiences")  # fmt: skip


async def _channels(subject: Subject) -> None:
    """What is injected through a channel is seen and lived through with the next observation, after a restore too."""
    text = "The colour of the tower is a lie told twice."
    with closing(subject.make()) as env:
        channels = getattr(env, "channels", None)
        if not channels:
            raise NotApplicable("it names no channel for what may be false")
        for channel in sorted(channels):
            player, seen = Player(8), start(env, 8)
            env.inject(env.agents[0], channel, text)
            env.restore(env.snapshot())
            agent = env.agents[0]
            shown = next(play(env, player, seen, 0, 1))
            info = shown.infos[agent]
            demand(text in info["text"], f"the text injected through {channel!r} is in the next observation",
                   info["text"][:200], "show it, and keep it in the snapshot")  # fmt: skip
            lived = [one for one in info["experiences"] if one.get("channel") == channel and text in one["text"]]
            demand(bool(lived), f"it is an experience with the channel {channel!r}", info["experiences"],
                   "add it to the experiences")  # fmt: skip


CHECKS = (
    Check("parallel", "PettingZoo's parallel_api_test passes", _parallel),
    Check("seed", "PettingZoo's parallel_seed_test passes", _seeded),
    Check("aec", "PettingZoo's api_test passes on its turn-based form", _by_turns),
    Check("gym", "Gymnasium's check_env passes on its single-agent form", _single),
    Check("same", "The same seed and actions show the same, again and in another instance", _same),
    Check("hash", "Another process, where texts hash differently, sees the same", _elsewhere),
    Check("state", "Saved and restored at any tick, it goes on as before", _saved),
    Check("spaces", "Observations are in their spaces", _spaces),
    Check("words", "What is seen and what is legal is told in words, and what is legal is taken", _words),
    Check("illegal", "An illegal action is told and does nothing", _illegal),
    Check("picture", "It renders as an RGB array", _picture),
    Check("needs", "What is needed gets a verdict, and perfect memory succeeds", _remembered),
    Check("hidden", "With reveal=False nothing tells what is needed", _hidden),
    Check("channel", "A false text has a way in", _channels),
)
"""The suite. `simonides check environment NAME` runs it."""


if __name__ == "__main__":
    from simonides.sim.checks.environment import SEED

    made = registry("environment").build(sys.argv[1], json.loads(sys.argv[2]), seed=SEED, world=0)
    with closing(made):
        sys.stdout.write(json.dumps(digests(made)) + "\n")
