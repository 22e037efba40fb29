"""Turns the interventions of a trial into what its spaces and worlds apply: a part of assembling a trial."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simonides.sim import interventions as kinds
from simonides.sim.attacking import Briefing
from simonides.sim.attacks import Injection
from simonides.sim.changes import FOREVER, Agent, Change, Defend, Halt, Link, Plant, Purge, Rewire, Wipe
from simonides.sim.config import Part, Trial
from simonides.sim.errors import StudyError, near
from simonides.sim.guarding import Defences
from simonides.sim.interfering import Coming, Injected, Schedule, WorldChange
from simonides.sim.passing import channel_of
from simonides.sim.protocols import Embedder, Environment
from simonides.sim.registry import registry
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain
from simonides.sim.wiring import AgentRef, SpaceSpec
from simonides.sim.world import Route, environment_seed

Specs = Sequence[SpaceSpec]


@dataclass(slots=True)
class Plan:
    """The interventions of a trial, by space and by world, and the spaces with every wiring that it will have."""

    specs: dict[str, SpaceSpec]
    """The first wiring; with nobody's rights for spaces that only a later one has."""
    ever: dict[str, frozenset[AgentRef]]
    """Space -> all agents that may reach it at any time, so that frontiers are sound from the start."""
    of_space: dict[str, list[Change]] = field(default_factory=dict)
    of_world: dict[str, list[WorldChange]] = field(default_factory=dict)
    expected: list[tuple[str, kinds.Scheduled]] = field(default_factory=list)

    def schedule(self, world: str) -> Schedule:
        """Return what is changed in one world, and what it looks out for."""
        return Schedule(tuple(self.of_world.get(world, ())), tuple(self.expected))


class Planner:
    """Makes the plan of one trial. Raises StudyError with the path of what does not fit."""

    def __init__(
        self,
        trial: Trial,
        specs: Specs,
        environments: Mapping[str, Environment],
        wired: Callable[[Part], Specs],
        routes: Callable[[str, Specs], Mapping[str, Route]],
        embedder: Embedder | None,
        defences: Callable[[Sequence[Part]], Defences],
    ) -> None:
        self._embedder, self._defences = embedder, defences
        self._trial, self._environments, self._wired, self._routes = trial, environments, wired, routes
        ever = {spec.name: spec.readers | spec.writers for spec in specs}
        self._plan = Plan({spec.name: spec for spec in specs}, ever)
        self._agents = {f"{w}/{a}": (w, a) for w, env in environments.items() for a in env.possible_agents}

    def plan(self) -> Plan:
        """Return the plan: rewirings first, since others may name their spaces."""
        interventions = self._trial.study.interventions
        named = list(zip(kinds.ids_of(interventions), interventions, strict=True))
        wirings = {
            id: self._wired(Part.model_validate(one.wiring)) for id, one in named if isinstance(one, kinds.Rewire)
        }
        for spec in (spec for specs in wirings.values() for spec in specs):
            self._plan.specs.setdefault(spec.name, SpaceSpec(spec.name, frozenset(), frozenset()))
            self._plan.ever[spec.name] = self._plan.ever.get(spec.name, frozenset()) | spec.readers | spec.writers
        for n, (id, one) in enumerate(named):
            where = f"interventions.{n}"
            self._check_schedule(one, where)
            if one.conditional:
                self._plan.expected.append((id, one))
            if isinstance(one, kinds.Rewire):
                self._rewire(id, one, wirings[id])
            elif isinstance(one, kinds.RemoveAgent | kinds.AddAgent):
                self._come(id, one, where)
            elif isinstance(one, kinds.Inject):
                self._inject(id, one, where)
            elif isinstance(one, kinds.Attack):
                self._attack(id, one, n, where)
            elif isinstance(one, kinds.Stop):
                self._stop(id, one, named, where)
            elif isinstance(one, kinds.Defend):
                self._defend(id, one, where)
            else:
                self._of_space(id, one, n, where)
        return self._plan

    def _check_schedule(self, one: kinds.Scheduled, where: str) -> None:
        worlds = list(self._environments)
        for path, world in (("world", one.world), ("when.world", one.when.world if one.when else None)):
            if world is not None and world not in worlds:
                raise StudyError(f"{where}.{path}: no world is called {world!r}.{near(world, worlds)}")
        if one.when is not None and one.when.space is not None:
            self._space(one.when.space, f"{where}.when.space")

    def _space(self, name: str, where: str) -> str:
        if name not in self._plan.specs:
            raise StudyError(f"{where}: no space is called {name!r}.{near(name, self._plan.specs)}")
        return name

    def _agent(self, name: str, where: str) -> Agent:
        if name not in self._agents:
            raise StudyError(f"{where}: no agent is called {name!r}.{near(name, self._agents)}")
        return self._agents[name]

    def _rewire(self, id: str, one: kinds.Rewire, specs: Specs) -> None:
        tick = None if one.conditional else one.tick
        new = {spec.name: spec for spec in specs}
        for name in self._plan.specs:
            spec = new.get(name)
            what = Rewire(*rights(spec)) if spec is not None else Rewire((), ())
            self._add(name, Change(id, one.kind, tick, what))
        for world in self._environments:
            nowhere = dict.fromkeys(self._environments[world].possible_agents, Route((), ()))
            change = WorldChange(id, one.kind, tick, {**nowhere, **self._routes(world, specs)})
            self._plan.of_world.setdefault(world, []).append(change)

    def _come(self, id: str, one: kinds.RemoveAgent | kinds.AddAgent, where: str) -> None:
        world, agent = self._agent(one.agent, f"{where}.agent")
        if not hasattr(self._environments[world], one.kind):
            part, _ = self._trial.study.environment_of(list(self._environments).index(world))
            raise StudyError(
                f"{where}: the environment {part.name!r} has a fixed set of agents: it offers no method {one.kind!r}."
            )
        change = WorldChange(id, one.kind, None if one.conditional else one.tick, Coming(one.kind, agent))
        self._plan.of_world.setdefault(world, []).append(change)

    def _inject(self, id: str, one: kinds.Inject, where: str) -> None:
        world, agent = self._agent(one.agent, f"{where}.agent")
        what = Injected(agent, self._channel(world, one.channel, f"{where}.channel"), one.text, one.tainted, one.about)
        self._in_world(world, WorldChange(id, one.kind, None if one.conditional else one.tick, what))

    def _in_world(self, world: str, change: WorldChange) -> None:
        self._plan.of_world.setdefault(world, []).append(change)

    def _channel(self, world: str, channel: str | None, where: str) -> str:
        environment = self._environments[world]
        known: Mapping[str, str] = getattr(environment, "channels", {})
        if not known or not hasattr(environment, "inject"):
            raise StudyError(f"{where}: the environment of {world} has no channel by which a text can be injected.")
        if channel is not None and channel not in known:
            raise StudyError(
                f"{where}: no channel is called {channel!r}.{near(channel, known)} Known: {', '.join(known)}."
            )
        return channel if channel is not None else channel_of(environment)

    def _attack(self, id: str, one: kinds.Attack, n: int, where: str) -> None:
        """Have an attack plan, and make each of its injections a step of the intervention."""
        part = Part.model_validate(one.attack)
        attack = registry("attack").build(part.name, part.params, path=f"{where}.attack")
        self._check_applies(part.name, attack.card.not_applicable, where)
        briefing = Briefing(self._trial, n, self._environments, tuple(self._plan.specs.values()), self._embedder)
        steps = [step for step in attack.plan(briefing) if one.ticks is None or step.after < one.ticks]
        for k, step in enumerate(sorted(steps, key=lambda step: step.after)):
            self._step(id, k, one, step, f"{where} ({part.name})")

    def _check_applies(self, name: str, not_applicable: Mapping[str, str], where: str) -> None:
        for n in range(1 + len(self._trial.study.more_environments)):
            environment = self._trial.study.environment_of(n)[0].name
            if environment in not_applicable:
                raise StudyError(f"{where}: {name} does not apply to {environment}: {not_applicable[environment]}")

    def _step(self, id: str, k: int, one: kinds.Attack, step: Injection, where: str) -> None:
        begins = None if one.conditional else (one.tick or 0) + step.after
        name = f"{id}#{k:04d}"
        world, agent = self._agent(step.agent, f"{where}: agent")
        if step.door == "channel":
            channel = self._channel(world, step.channel or None, f"{where}: channel")
            injected = Injected(agent, channel, step.text, step.tainted, step.about)
            self._in_world(world, WorldChange(name, "inject", begins, injected, id, step.after))
            return
        space = self._space(step.space, where) if step.space else self._first_writable(step.agent, where)
        plant = Plant(space, step.text, step.speaker, world, agent, step.tainted, dict(step.about), dict(step.fields))
        self._add(space, Change(name, "plant", begins, plant, id, step.after))

    def _stop(self, id: str, one: kinds.Stop, named: Sequence[tuple[str, kinds.Intervention]], where: str) -> None:
        attacks = {other: what.name for other, what in named if isinstance(what, kinds.Attack)}
        causes = frozenset(other for other, name in attacks.items() if name == one.of)
        if not causes:
            raise StudyError(f"{where}.of: no intervention attacks with {one.of!r}.{near(one.of, attacks.values())}")
        tick = None if one.conditional else one.tick
        for space in self._plan.specs:
            self._add(space, Change(id, one.kind, tick, Halt(causes)))
        for world in self._environments:
            self._in_world(world, WorldChange(id, one.kind, tick, Halt(causes)))

    def _defend(self, id: str, one: kinds.Defend, where: str) -> None:
        parts = [Part.model_validate(part) for part in one.defences]
        spaces = [self._space(one.space, f"{where}.space")] if one.space is not None else list(self._plan.specs)
        for space in spaces:
            what = Defend(self._defences(parts))
            self._add(space, Change(id, one.kind, None if one.conditional else one.tick, what))

    def _of_space(self, id: str, one: kinds.Intervention, n: int, where: str) -> None:
        tick = None if one.conditional else one.tick
        if isinstance(one, kinds.Plant):
            plant, found = self._planted(one, n, where)
            self._add(plant.space, Change(id, one.kind, tick if tick is not None or one.conditional else found, plant))
        elif isinstance(one, kinds.Wipe):
            self._add(self._space(one.space, f"{where}.space"), Change(id, one.kind, tick, Wipe()))
        elif isinstance(one, kinds.Cut | kinds.Delay):
            space = self._space(one.space, f"{where}.space")
            self._add(space, Change(id, one.kind, tick, link(one, self._agent(one.agent, f"{where}.agent"))))
        elif isinstance(one, kinds.Purge):
            origins = frozenset(one.origins) if isinstance(one.origins, tuple) else one.origins
            writer = self._agent(one.writer, f"{where}.writer") if one.writer is not None else None
            until = one.until if one.until is not None else FOREVER
            spaces = [self._space(one.space, f"{where}.space")] if one.space is not None else list(self._plan.specs)
            for space in spaces:
                self._add(space, Change(id, one.kind, tick, Purge(origins, writer, one.since or 0, until)))

    def _add(self, space: str, change: Change) -> None:
        self._plan.of_space.setdefault(space, []).append(change)

    def _planted(self, one: kinds.Plant, n: int, where: str) -> tuple[Plant, int | None]:
        """Return what is planted, and the tick that the environment's falsehood names, if one was asked for."""
        falsehood: dict[str, Plain] = {}
        agent = one.agent
        first = next(iter(self._environments))
        placed = one.tick is not None or one.conditional
        if one.text is None or not placed or (agent is None and one.space is None):
            maker: Any = getattr(self._environments[first], "falsehood", None)
            if maker is None:
                raise StudyError(
                    f"{where}: environment {self._trial.study.environment.name!r} offers no falsehood of its own; give "
                    "the plant's text, tick, and agent or space."
                )
            # many environments draw their truths here
            self._environments[first].reset(seed=environment_seed(self._trial.seed, first))
            falsehood = maker(generator(seed_of(self._trial.seed, "falsehood", n)))
        if agent is None and one.space is None:
            agent = f"{first}/{falsehood['agent']}"
        space = one.space or self._first_writable(str(agent), where)
        writers = self._plan.specs[self._space(space, f"{where}.space")].writers
        text = one.text if one.text is not None else str(falsehood["text"])
        notes = {key: falsehood[key] for key in sorted(falsehood) if key not in ("text", "tick", "agent")}
        notes |= one.about
        speaker = one.speaker or str(falsehood.get("speaker", ""))
        world, _, writer = (agent or str(min(writers, default=""))).partition("/")
        tick = int(falsehood["tick"]) if "tick" in falsehood else None
        return Plant(space, text, speaker, world, writer, one.tainted, notes), tick

    def _first_writable(self, agent: str, where: str) -> str:
        specs = self._plan.specs.values()
        writable = [spec.name for spec in specs if agent in {str(ref) for ref in spec.writers}]
        if not writable:
            known = sorted({str(ref) for spec in specs for ref in spec.writers})
            raise StudyError(f"{where}.agent: no agent {agent!r} writes any space.{near(agent, known)}")
        return writable[0]


def link(one: kinds.Cut | kinds.Delay, agent: Agent) -> Link:
    """Return what a cut or a delay does to a link."""
    ticks = one.ticks if one.ticks is not None else FOREVER
    if isinstance(one, kinds.Delay):
        return Link(agent, late=one.by, ticks=ticks)
    return Link(agent, frozenset(("read", "write") if one.rights == "both" else (one.rights,)), ticks=ticks)


def rights(spec: SpaceSpec) -> tuple[Collection[Agent], Collection[Agent]]:
    """Return a space's readers and writers as (world, agent): one collection if they are the same."""
    readers = _agents(spec.readers)
    return readers, readers if spec.writers == spec.readers else _agents(spec.writers)


def _agents(refs: frozenset[AgentRef]) -> Collection[Agent]:
    """Return (world, agent) as a set, or as a tuple for the owner of a private space: it weighs 170 bytes less."""
    pairs = ((a.world, a.agent) for a in refs)
    return frozenset(pairs) if len(refs) > 1 else tuple(pairs)
