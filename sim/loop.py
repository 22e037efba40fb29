"""The loop: observe, recall, act, step, write, record. One tick, one way; nothing calls back."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from operator import attrgetter
from time import monotonic, perf_counter
from typing import Any

from simonides.sim.budget import EVERYBODY, LEDGER, Account
from simonides.sim.codec import canonical, encode, pack
from simonides.sim.director import DIRECTOR
from simonides.sim.errors import BudgetReached, Interrupted, PartFailed, SpaceFailed
from simonides.sim.exchange import Batch, Read, Refusal, Reply, Write
from simonides.sim.interfering import interfere, settle_rewards
from simonides.sim.passing import channel_of, inject, touched
from simonides.sim.probes import Probing
from simonides.sim.seeds import identity
from simonides.sim.trace import WORLD
from simonides.sim.turns import Turn, gather_actions, merge, no_way, observe, reads_of
from simonides.sim.types import Action, Experience, Observation, Place, Plain, Query, Recall
from simonides.sim.world import Port, World, WorldResult

OWN = (LEDGER, DIRECTOR)
"""The spaces of the platform, which every world reads at every tick of the trials that have them."""
NOTE = "note"
"""The channel of what agents note down of their own accord."""
BREATH = 0.05
"""Seconds after which a world that never has to wait lets others run: other worlds, signs of life, an interrupt."""


async def live(world: World) -> WorldResult:
    """Run a world from where it stands to its end; its failure is data, and its leave is always sent."""
    world.begin()
    shared = [port for port in world.ports if port is not world.own]
    breath = perf_counter()
    if not world.done:
        try:
            while world.lives and not world.paused:
                await tick(world)
                if perf_counter() - breath > BREATH:
                    await asyncio.sleep(0)
                    breath = perf_counter()
            if world.lives:
                return await pause(world)
        except Interrupted:
            raise
        except BudgetReached:
            pass  # the world has noted why it ends
        except (Exception, asyncio.CancelledError) as error:
            world.fail(error)
        world.progress.end(world.deciding)
        for port in world.ports:
            if world.result is not None and port.sent == world.tick:
                port.outbox = []  # a failing world discards the writes of its last tick
        if world.own is not None:
            await leave(world, world.own)
        world.done = True
        world.save(world.capture())
    for port in shared:
        await leave(world, port)
    world.trace.flush()
    return world.result or WorldResult(world.name, world.tick - world.setup.join, timed=world.timed)


async def pause(world: World) -> WorldResult:
    """Save a world as it stands, once its spaces stand there too, and stop without leaving them."""
    if world.tick > world.setup.join:
        captured = world.capture()
        await exchange_all(world, {})
        world.save(captured)
    world.trace.flush()
    return WorldResult(world.name, world.tick - world.setup.join)


async def tick(world: World) -> None:
    """Live one tick."""
    every, began = world.setup.checkpoint_every, perf_counter()
    due = every and world.tick // every > world.durable // every
    captured = world.capture() if due else None
    world.phase = "observe"
    agents = list(world.environment.agents)
    seen, keys = observe_all(world, agents)
    world.phase = "recall"
    probing = Probing(world) if world.setup.probes else None
    turns = {agent: Turn(world, agent) for agent in agents}
    queries = {agent: tuple(world.policies[agent].queries(seen[agent], turns[agent])) for agent in agents}
    recalls, refusals, told = await exchange_all(world, queries)
    if captured is not None:
        world.save(captured)
    for refusal in refusals:
        turns[refusal.agent].refused.append(refusal.text)
    if world.account is not None:
        review(world, world.account, told.get(LEDGER))
    if world.interference is not None:
        world.phase = "intervene"
        await interfere(world, told.get(DIRECTOR), seen)
    if probing is not None:
        await probing.ask(seen)
    recalled = perf_counter()
    world.phase = "act"
    world.deciding = world.progress.begin()
    actions = await gather_actions(world, seen, recalls, turns)
    world.progress.end(world.deciding)
    acted = perf_counter()
    world.phase = "step"
    pass_on(world, actions)
    observations, rewards, _, _, infos = step(world, actions)
    stepped = perf_counter()
    world.phase = "write"
    injected: dict[str, tuple[str, str]] = {}
    if world.interference is not None:
        settle_rewards(world, rewards, list(seen))
        injected = world.interference.injected
    observed: list[Plain] = []
    asked: list[Plain] = []
    acted_out: list[Plain] = []
    paid: list[Plain] = []
    remembered: list[Plain] = []
    ends = False
    routes = world.routes(world.tick)
    for agent, observation in seen.items():
        turn, action, reward = turns[agent], actions[agent], float(rewards.get(agent, 0.0)) + 0.0
        lived = experience(world, turn.place, observation, action, reward)
        write(world, agent, lived, routes[agent].writes if action.spaces is None else action.spaces)
        if injected and world.interference is not None:
            held = ((one, id) for one in lived for id in touched(one, injected))
            world.interference.row.extend((id, "touched", {"experience": one.id}) for one, id in held)
        ends = ends or bool(observation.info.get("session_end"))
        observed.append((agent, _hash(observation), keys.get(agent)))
        if queries[agent] or turn.hops:
            asked.extend(_asked(agent, queries[agent], recalls[agent], turn))
        acted_out.append((agent, canonical(action.value), action.text, canonical(action.notes)))
        paid.append((agent, reward))
        remembered.extend(map(_row, lived))
    if world.account is not None and world.setup.ledger is not None:
        settle(world, world.account, world.setup.ledger)
    denied = [(r.space, r.agent, r.right) for r in refusals]
    changed = world.interference.row if world.interference is not None else []
    row = (world.time + 0.0, observed, asked, acted_out, paid, remembered, denied, ends, changed, world.usage.plain())
    world.trace.row(WORLD, world.name, world.tick, pack(row))
    now = perf_counter()
    world.trace.timing(world.name, world.tick, (now - began, recalled - began, acted - recalled, stepped - acted))
    world.observations, world.infos, world.session_end = observations, infos, ends
    world.usage.reset()
    world.looks = 0
    world.tick += world.setup.stride


def review(world: World, account: Account, ledger: Recall | None) -> None:
    """See whose budget is used up before anybody acts. Raises BudgetReached when the trial ends with it."""
    reason = account.review(ledger)
    seconds = account.limits.seconds
    if seconds is not None and monotonic() - world.began > seconds:
        world.timed = True
        why = account.muted.setdefault(EVERYBODY, f"the trial's budget: more than {seconds:g} seconds")
        reason = why if account.config.reached == "end" else ""
    if reason:
        world.cut(reason)
        raise BudgetReached(reason)


def settle(world: World, account: Account, ledger: str) -> None:
    """Put what this tick has cost on its way to the ledger."""
    owed, port = account.owed(), world.port_of(ledger)
    if owed is not None and port is not None:
        place = Place(world.tick, world.name, "")
        made = identity(world.setup.seed, "ledger", world.name, place, 0)
        port.outbox.append(
            Write(ledger, Experience(made, world.name, "", world.tick, world.time, "", metadata=owed), 0)
        )


def observe_all(world: World, agents: list[str]) -> tuple[dict[str, Observation], dict[str, Plain]]:
    """Return what each agent sees, and the environment's answer keys where it gives any; the world's time moves on."""
    seen, keys, time = {}, {}, world.time
    for agent in agents:
        seen[agent], key = observe(world, agent)
        time = max(time, seen[agent].time)
        if key is not None:
            keys[agent] = canonical(key)
    world.time = time
    return seen, keys


async def exchange_all(
    world: World, queries: dict[str, tuple[Query, ...]]
) -> tuple[dict[str, list[Recall]], list[Refusal], dict[str, Recall]]:
    """Exchange with every port: last tick's writes and frontier there, this tick's recalls back.

    Returns recalls by agent, what was refused, and what the platform's own spaces say, by name.
    """
    reads: list[list[Read]] = [[] for _ in world.ports]
    parts: dict[tuple[str, int], list[Recall]] = {}
    told: dict[str, Recall] = {}
    for agent, asks in queries.items():
        for read in reads_of(world, agent, asks) if asks else ():
            port = world.port_of(read.space)
            if port is None:
                parts[agent, read.n] = [no_way(world, agent, read.space)]
            else:
                reads[port.index].append(read)
    for space in OWN:
        port = world.port_of(space)
        if port is not None:
            reads[port.index].append(Read(space, "", 0, Query("")))
    refusals, world.refusals = world.refusals, []
    jobs = [send(world, port, tuple(reads[i])) for i, port in enumerate(world.ports)]
    replies = [await jobs[0]] if len(jobs) == 1 else await asyncio.gather(*jobs, return_exceptions=True)
    for reply in replies:
        if isinstance(reply, BaseException):
            raise reply
    failures = [reply.failure for reply in replies if isinstance(reply, Reply) and reply.failure is not None]
    if failures:
        raise SpaceFailed(*min(failures))
    for i, reply in enumerate(replies):
        assert isinstance(reply, Reply)
        refusals.extend(reply.refusals)
        if reply.used or world.account is not None:
            world.hear(world.ports[i], reply)
        for read, part in zip(reads[i], reply.recalls, strict=True):
            if read.agent:
                parts.setdefault((read.agent, read.n), []).append(part)
            else:
                told[read.space] = part
    found = {
        agent: [merge(parts.get((agent, n), []), query.k) for n, query in enumerate(asks)] if asks else []
        for agent, asks in queries.items()
    }
    refusals.sort(key=attrgetter("space", "agent", "right"))  # which hosts there are must not show
    return found, refusals, told


async def send(world: World, port: Port, reads: tuple[Read, ...]) -> Reply:
    """Send hop 0 of this tick to one port; what could not be delivered stays in its outbox."""
    writes = tuple(port.outbox)
    batch = Batch(
        world.name, world.tick, 0, "", world.time, writes, reads, world.session_end, False, world.durable, 0,
        world.muted, world.begun,
    )  # fmt: skip
    reply = await port.exchange(batch)
    port.sent, port.outbox = world.tick, []
    return reply


async def leave(world: World, port: Port) -> None:
    """Tell a port that this world has lived its last tick, with what was still to be sent."""
    at = (
        world.tick + world.setup.stride if port.sent == world.tick else world.tick
    )  # it failed within a tick already announced
    ends = world.session_end and at == world.tick
    writes, begun = tuple(port.outbox), world.begun if at == world.tick else ()
    batch = Batch(world.name, at, 0, "", world.time, writes, (), ends, True, world.durable, 0, world.muted, begun)
    await port.exchange(batch)
    port.outbox = []


def step(world: World, actions: dict[str, Action]) -> Any:
    """Step the environment once. Raises PartFailed from whatever it raises."""
    values = {agent: action.value for agent, action in actions.items()}
    if not world.saves:
        world.actions.append(values)
    try:
        return world.environment.step(values)
    except Exception as error:
        raise PartFailed(f"the environment raised {type(error).__name__}: {error}") from error


def pass_on(world: World, actions: dict[str, Action]) -> None:
    """Put the messages of this tick's actions into the environment's channel. Raises ContractBroken where none is."""
    for agent, action in actions.items():
        for tell in action.tells:
            if tell.to:
                call = inject(world.environment, tell.to, channel_of(world.environment), tell.text)
                world.passing.put(tell.to, tell.text, agent, world.tick)
                if not world.saves:
                    world.actions.append(call)


def experience(world: World, first: Place, observation: Observation, action: Action, reward: float) -> list[Experience]:
    """Return what an agent lived through at this tick: as its environment tells it, or its observation and action.

    What it notes down comes after that. `first` is the place of the first of them.
    """
    info, agent = observation.info, observation.agent
    told = info.get("experiences")
    if told is None:
        said = f"{observation.text} I did: {action.text}" if action.text else observation.text
        if not info and not action.tells and agent not in world.passing.said:  # most ticks of most worlds
            made = identity(world.setup.seed, "experience", world.name, first, 0)
            plain = (made, world.name, agent, world.tick, observation.time, said, "", 0, "observation", action.text)
            return [Experience(*plain, reward)]
        told = [{"text": said}] if not info.get("probe") else []
    if action.tells:
        notes = [tell.text for tell in action.tells if not tell.to]
        told = [*told, *({"text": t, "speaker": agent, "channel": NOTE, "heard": (agent, world.tick)} for t in notes)]
    lived = []
    for n, fields in enumerate(told):
        place = Place(world.tick, world.name, observation.agent, 0, n) if n else first
        lived.append(
            Experience(  # by position: by name it takes twice as long
                identity(world.setup.seed, "experience", world.name, place, 0),
                world.name,
                observation.agent,
                world.tick,
                float(fields.get("time", observation.time)),
                fields["text"],
                fields.get("speaker", ""),
                int(info.get("session", 0)),
                fields.get("channel", "observation"),
                action.text,
                reward,
                fields.get("outcome", ""),
                fields.get("metadata", {}),
                heard(world, agent, fields),
            )
        )
    return lived


def heard(world: World, agent: str, fields: Mapping[str, Any]) -> tuple[Plain, ...]:
    """Return (agent, tick) of each saying that an experience holds: as the environment tells it, or by its words."""
    told = fields.get("heard")
    found = [tuple(told)] if told else []
    if agent in world.passing.said:
        found += [source for source in world.passing.heard(agent, fields["text"]) if source not in found]
    return tuple(found)


def write(world: World, agent: str, lived: list[Experience], spaces: Sequence[str]) -> None:
    """Put experiences on their way to the spaces that the action names, or to all that the agent may write."""
    for n, one in enumerate(lived):
        for space in spaces:
            port = world.port_of(space)
            if port is None:
                world.refusals.append(Refusal(space, agent, "write"))
            else:
                port.outbox.append(Write(space, one, n))


def _asked(agent: str, queries: tuple[Query, ...], recalls: list[Recall], turn: Turn) -> list[tuple[Plain, ...]]:
    """Return an agent's queries of this tick with their answers, as the trace has them."""
    asked = [(0, n, query, found) for n, (query, found) in enumerate(zip(queries, recalls, strict=True))]
    if turn.hops:
        asked += [(hop, 0, query, found) for hop, query, found in turn.hops]
    return [
        (agent, hop, n, query.text, query.k, query.space, query.probe,
         [item.record_id for item in found.items], [float(item.score) + 0.0 for item in found.items], found.refused)
        for hop, n, query, found in asked
    ]  # fmt: skip


def _hash(observation: Observation) -> bytes:
    raw = observation.raw
    data = raw.encode() if isinstance(raw, str) else encode(raw)
    return hashlib.blake2b(data + b"\0" + observation.text.encode(), digest_size=8).digest()


def _row(e: Experience) -> tuple[Plain, ...]:
    return (
        e.id, e.agent, e.time + 0.0, e.text, e.speaker, e.session, e.channel, e.action, e.reward + 0.0, e.outcome,
        canonical(e.metadata) if e.metadata else {}, e.heard,
    )  # fmt: skip
