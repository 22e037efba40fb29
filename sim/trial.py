"""The assembler: turns a trial, which is plain data, into worlds and spaces. The only one; every process uses it.

What it makes is the same in every process, so that a world actor and a memory actor agree without talking.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from simonides.sim.batchlog import BatchLog
from simonides.sim.budget import LEDGER, Account, Ledger, tightest
from simonides.sim.changing import Planner, rights
from simonides.sim.checkpoint import CheckpointStore
from simonides.sim.config import Layout, Part, Study, Trial
from simonides.sim.context import Sampling, Services
from simonides.sim.director import DIRECTOR, Director
from simonides.sim.errors import StudyError, near
from simonides.sim.guarding import Defences
from simonides.sim.host import Budget, SpaceHost
from simonides.sim.modelcalls import CallFile, Mode, Recorded
from simonides.sim.modeltimings import ModelTimings
from simonides.sim.probing import Probe
from simonides.sim.protocols import Environment, MemorySystem, Model, Policy
from simonides.sim.registry import registry
from simonides.sim.seeds import seed_of
from simonides.sim.spacesetup import SpaceSetup
from simonides.sim.trace import TraceWriter, next_epoch
from simonides.sim.types import ModelCard
from simonides.sim.wiring import AgentRef, SpaceSpec
from simonides.sim.world import Exchange, Port, Route, World, WorldSetup

CACHED = "simonides.memory_actors.embedders.cache:CachedEmbedder"
"""Wraps any embedder, so that each text of a run is embedded once."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """All worlds and spaces of a trial before they run, and which spaces are private to one world."""

    trial: Trial
    worlds: tuple[WorldSetup, ...]
    spaces: tuple[SpaceSetup, ...]

    def private_to(self, world: str) -> tuple[SpaceSetup, ...]:
        """Return the spaces whose only member is this world."""
        return tuple(space for space in self.spaces if set(space.members) == {world})


def world_name(index: int) -> str:
    """Return the name of the index-th world; names sort as their indexes do."""
    return f"w{index:04d}"


def environment_of(study: Study, seed: int, index: int) -> Environment:
    """Build the environment of one world of a trial."""
    part, path = study.environment_of(index)
    given = {"seed": seed_of(seed, "generate", part.name) >> 32, "world": index}
    return registry("environment").build(part.name, part.params, path=path, **given)  # type: ignore[no-any-return]


def count_worlds(study: Study) -> int:
    """Return how many worlds a trial has: as the study says, or the environments' factories, or one of each."""
    if study.worlds is not None:
        return study.worlds
    count = 0
    for i in range(1 + len(study.more_environments)):
        part, _ = study.environment_of(i)
        counter: Callable[..., int] | None = getattr(registry("environment").load(part.name), "worlds", None)
        count += counter(**part.params) if counter is not None else 1
    return count


def memory_of(study: Study, services: Services) -> MemorySystem:
    """Build one fresh memory system of the study's kind."""
    dimension = services.embedder.dimension if services.embedder is not None else 0
    given = {"dimension": dimension}
    return registry("memory").build(study.memory.name, study.memory.params, path="memory", **given)  # type: ignore[no-any-return]


def policies_of(study: Study, agents: Sequence[str]) -> Mapping[str, Policy]:
    """Build one policy an agent."""
    return {a: registry("policy").build(study.policy.name, study.policy.params, path="policy", agent=a) for a in agents}


def defences_of(study: Study, parts: Sequence[Part]) -> Defences:
    """Return defences as a space takes them: made anew for each."""
    build = registry("defence").build
    made = tuple((part.name, partial(build, part.name, part.params, path="defences")) for part in parts)
    return Defences(made, study.defence_errors)


class Models:
    """The models of one process, each built once and kept for the trials to come, with one record of their calls."""

    def __init__(self, calls: Path | None = None, mode: Mode = "record") -> None:
        """`calls` is the folder of the record; without it each call is asked."""
        self._folder = calls
        self._mode: Mode = mode if calls is not None else "off"
        self._built: dict[str, Model] = {}

    def of(self, part: Part) -> Model:
        """Return the model of a study. Raises UserError for wrong parameters."""
        key = part.model_dump_json()
        if key not in self._built:
            self._built[key] = self._recorded(self.build(part))
        return self._built[key]

    def build(self, part: Part) -> Model:
        """Return a new model, or the way to one that runs elsewhere."""
        return registry("model").build(part.name, part.params, path="model")  # type: ignore[no-any-return]

    def _recorded(self, model: Model) -> Model:
        if self._mode == "off" or self._folder is None or model.card.pure:
            return model
        return Recorded(model, CallFile(self._folder), self._mode)

    async def close(self) -> None:
        """End what the models have started."""
        if self._folder is not None and any(isinstance(model, Recorded) for model in self._built.values()):
            self._tell(self._folder)
        while self._built:
            await self._built.popitem()[1].close()

    def _tell(self, folder: Path) -> None:
        timings = ModelTimings(folder)
        for model in self._built.values():
            if isinstance(model, Recorded):
                timings.write(model.card.identity, "process", model.counters())
        timings.close()


def services_of(study: Study, cache: Path | None, models: Models) -> Services:
    """Build the services of one trial in one process: the embedder behind its cache on disk, and the model."""
    embedder = model = prompts = None
    if study.embedder is not None:
        embedder = registry("embedder").build(study.embedder.name, study.embedder.params, path="embedder")
        if cache is not None:
            embedder = registry("embedder").load(CACHED)(embedder, cache)
    if study.model is not None:
        model = models.of(study.model)
        prompts = registry("prompts").build(study.prompts.name, study.prompts.params, path="prompts")
    return Services(embedder, model, prompts, Sampling(**study.sampling.model_dump()))


def assemble(trial: Trial, services: Services) -> Assembly:
    """Return the worlds and spaces of a trial. Raises UserError for what does not fit together."""
    study, seed = trial.study, trial.seed
    count = count_worlds(study)
    names = [world_name(i) for i in range(count)]
    joins = {name: study.joins[i] if i < len(study.joins) else 0 for i, name in enumerate(names)}
    environments = [environment_of(study, seed, i) for i in range(count)]
    agents = [AgentRef(name, a) for name, env in zip(names, environments, strict=True) for a in env.possible_agents]
    by_name = dict(zip(names, environments, strict=True))
    wired = partial(wire, seed=seed, agents=agents, environments=by_name)
    specs = wired(study.wiring)
    plan = Planner(trial, specs, by_name, wired, routes, services.embedder, partial(defences_of, study)).plan()
    strides = strides_of(study, environments, plan.ever)
    for environment in environments:
        environment.close()
    make = partial(memory_of, study, services)
    alike: dict[tuple[str, ...], Mapping[str, int]] = {}
    """Members of spaces, once for all that have the same."""

    def members(space: str) -> Mapping[str, int]:
        names = tuple(sorted({a.world for a in plan.ever[space]}))
        return alike.setdefault(names, {name: joins[name] for name in names})

    guarded = defences_of(study, study.defences)
    spaces: tuple[SpaceSetup, ...] = tuple(
        SpaceSetup(
            spec.name,
            *rights(spec),
            members(spec.name),
            make,
            tuple(plan.of_space.get(spec.name, ())),
            study.manage_every,
            strides,
            guarded,
        )
        for spec in sorted(plan.specs.values(), key=lambda spec: spec.name)
    )
    ledger = LEDGER if study.budget.ledger or trial.allowance is not None else None
    if ledger is not None:
        spaces += (_platform(ledger, Ledger, joins, strides),)
    if plan.expected:
        spaces += (_platform(DIRECTOR, Director, joins, strides),)
    asked = probes_of(study, by_name, plan.ever)
    worlds = tuple(
        WorldSetup(
            name,
            partial(environment_of, study, seed, i),
            partial(policies_of, study),
            routes(name, specs),
            seed,
            joins[name],
            study.ticks if study.ticks is not None else 1 << 40,
            study.checkpoint_every,
            strides.get(name, 1),
            account_of(trial),
            ledger,
            trial.pause,
            asked[name],
            plan.schedule(name),
        )
        for i, name in enumerate(names)
    )
    return Assembly(trial, worlds, spaces)


def probes_of(
    study: Study, environments: Mapping[str, Environment], ever: Mapping[str, frozenset[AgentRef]]
) -> Mapping[str, tuple[tuple[int, Probe, tuple[str, ...] | None], ...]]:
    """Return each world's probes: those of its agents, and of spaces whose first member it is. Raises StudyError."""
    found: dict[str, list[tuple[int, Probe, tuple[str, ...] | None]]] = {name: [] for name in environments}
    agents = {f"{name}/{agent}" for name, env in environments.items() for agent in env.possible_agents}
    for n, probe in enumerate(study.probes):
        for path, value, known in (("agent", probe.agent, agents), ("space", probe.space, set(ever))):
            if value is not None and value not in known:
                raise StudyError(f"probes.{n}.{path}: there is no {path} {value!r}.{near(value, sorted(known))}")
        if probe.agent is None and probe.space is not None:
            members = {ref.world for ref in ever[probe.space]}
            found[min(members)].append((n, probe, None))
            continue
        for name, env in environments.items():
            mine = tuple(a for a in env.possible_agents if probe.agent in (None, f"{name}/{a}"))
            if mine:
                found[name].append((n, probe, mine))
    return {name: tuple(probes) for name, probes in found.items()}


def account_of(trial: Trial) -> Callable[[ModelCard], Account] | None:
    """Return the maker of a world's account, or None where nothing is limited."""
    budget = trial.study.budget
    limits = tightest(budget.trial, trial.allowance)
    if not (limits.any or budget.agent.any):
        return None
    return partial(Account, budget, limits)


def _platform(
    name: str, make: Callable[[], MemorySystem], joins: Mapping[str, int], strides: Mapping[str, int]
) -> SpaceSetup:
    """Return a space of the platform's own, of which every world is a member."""
    worlds = frozenset((world, "") for world in joins)
    return SpaceSetup(name, worlds, worlds, dict(joins), make, strides=strides)


def wire(
    wiring: Part, seed: int, agents: Sequence[AgentRef], environments: Mapping[str, Environment]
) -> tuple[SpaceSpec, ...]:
    """Return the spaces that a wiring makes for these agents; teams are the environment's, or the worlds."""
    team_of = {}
    for ref in agents:
        teams: Mapping[str, str] = getattr(environments[ref.world], "teams", {})
        team_of[ref] = f"{ref.world}/{teams[ref.agent]}" if ref.agent in teams else ref.world
    given: dict[str, Any] = {"agents": agents, "team_of": team_of, "seed": seed_of(seed, "wiring") >> 32}
    return registry("wiring").build(wiring.name, wiring.params, path="wiring", **given)  # type: ignore[no-any-return]


def strides_of(
    study: Study, environments: Sequence[Environment], ever: Mapping[str, frozenset[AgentRef]]
) -> dict[str, int]:
    """Return the strides of parallel worlds, where they are not 1: when turn-based worlds share a space with them.

    Raises StudyError when the study does not say how many turns make a round.
    """
    turns = {world_name(i): bool(getattr(env, "turn_based", False)) for i, env in enumerate(environments)}
    for space, refs in ever.items():
        members = {ref.world for ref in refs}
        if len({turns[world] for world in members}) > 1 and study.ticks_per_round is None:
            raise StudyError(
                f"ticks_per_round: turn-based and parallel worlds share the space {space!r}; say how many "
                "turns make one step of a parallel world."
            )
    if study.ticks_per_round is None:
        return {}
    return {world: study.ticks_per_round for world, by_turns in turns.items() if not by_turns}


def routes(world: str, specs: Sequence[SpaceSpec]) -> dict[str, Route]:
    """Return, for each agent of a world, the spaces that it reads and writes, by name."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for spec in sorted(specs, key=lambda s: s.name):
        for refs, side in ((spec.readers, 0), (spec.writers, 1)):
            for ref in sorted(refs):
                if ref.world == world:
                    found.setdefault(ref.agent, ([], []))[side].append(spec.name)
    return {agent: _route(tuple(reads), tuple(writes)) for agent, (reads, writes) in found.items()}


def _route(reads: tuple[str, ...], writes: tuple[str, ...]) -> Route:
    return Route(reads, reads if reads == writes else writes)


# --- who hosts what --------------------------------------------------------------------------------------------


def memory_actor_of(space: str, memory_actors: int) -> int:
    """Return the index of the memory actor that hosts a space, from sha256 of its name."""
    return int.from_bytes(hashlib.sha256(space.encode()).digest()[:8], "big") % memory_actors


def hosted(assembly: Assembly, layout: Layout) -> dict[int, tuple[SpaceSetup, ...]]:
    """Return the spaces of every memory actor, by its index; actors without spaces are not listed."""
    found: dict[int, list[SpaceSetup]] = {}
    for space in assembly.spaces:
        if layout.private == "actors" or len(space.members) != 1:
            found.setdefault(memory_actor_of(space.name, layout.memory_actors), []).append(space)
    return {index: tuple(spaces) for index, spaces in sorted(found.items())}


def worlds_of(assembly: Assembly, layout: Layout, index: int) -> tuple[WorldSetup, ...]:
    """Return the worlds of one world actor: every world_actors-th, from its index on."""
    return assembly.worlds[index :: layout.world_actors]


def open_host(
    assembly: Assembly, layout: Layout, index: int, folder: Path, services: Services, sync: bool = False
) -> SpaceHost:
    """Return the host of one memory actor with its trace segment, log and checkpoints. `start` it in its event loop.

    With `sync` every batch is on the disk before it is answered.
    """
    part = f"memory-{index}"
    epoch = next_epoch(folder, part)
    return SpaceHost(
        hosted(assembly, layout)[index],
        assembly.trial.seed,
        services,
        TraceWriter(folder, part, epoch),
        log=BatchLog(folder / "logs" / f"{part}.log", epoch, sync),
        store=CheckpointStore(folder / "checkpoints"),
        checkpoint_every=assembly.trial.study.checkpoint_every,
        budget=_budget(layout, folder, part),
        base=assembly.trial.base,
    )


def _budget(layout: Layout, folder: Path, part: str) -> Budget | None:
    if layout.memory_budget is None:
        return None
    return Budget(layout.memory_budget, folder / "spill" / f"{part}-{os.getpid()}")


Table = Mapping[int, tuple[SpaceSetup, ...]]
"""The spaces of every memory actor, as `hosted` gives them."""


def ways_of(table: Table, world: str) -> list[tuple[int, frozenset[str]]]:
    """Return the memory actors that host spaces of a world, with the names of those spaces: its ports, in order."""
    ways = [(actor, frozenset(s.name for s in spaces if world in s.members)) for actor, spaces in table.items()]
    return [(actor, mine) for actor, mine in ways if mine]


def own_of(assembly: Assembly, table: Table, world: str) -> list[SpaceSetup]:
    """Return the spaces that live beside a world: its last port, if there are any."""
    remote = {space.name for spaces in table.values() for space in spaces}
    return [space for space in assembly.private_to(world) if space.name not in remote]


def open_worlds(
    assembly: Assembly,
    layout: Layout,
    index: int,
    folder: Path,
    services: Services,
    exchanges: Mapping[int, Callable[[], Exchange]],
) -> list[World]:
    """Return the worlds of one world actor, each with its co-located spaces and a port to every memory actor it uses.

    `exchanges` gives, for each memory actor, a maker of ways to it: each world has its own.
    """
    part = f"worlds-{index}"
    store = CheckpointStore(folder / "checkpoints")
    trace = TraceWriter(folder, part, next_epoch(folder, part))
    table = hosted(assembly, layout)
    worlds = []
    for setup in worlds_of(assembly, layout, index):
        ports = [Port(i, exchanges[actor](), mine) for i, (actor, mine) in enumerate(ways_of(table, setup.name))]
        own = own_of(assembly, table, setup.name)
        local = None
        if own:
            budget = _budget(layout, folder, f"{part}-{setup.name}")
            local = SpaceHost(own, assembly.trial.seed, services, trace, budget=budget)
            ports.append(Port(len(ports), local.exchange, frozenset(space.name for space in own)))
        worlds.append(World(setup, ports, services, trace, store, local))
    return worlds
