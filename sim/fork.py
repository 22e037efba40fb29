"""Begin a trial where another one stood at a tick: its checkpoints and the rows before it, put where they now belong.

The other trial is run on from its last common checkpoint to the tick, unchanged, and paused there; then every world and
space is seated in the new trial's layout. Nothing is written into the other trial's folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simonides.sim.changes import Change, Plant, Purge
from simonides.sim.checkpoint import CheckpointStore
from simonides.sim.codec import decode, pack
from simonides.sim.config import Layout, Trial
from simonides.sim.context import Services
from simonides.sim.errors import CorruptFile, StudyError
from simonides.sim.interfering import WorldChange
from simonides.sim.lineage import Lineage
from simonides.sim.rows import space_row
from simonides.sim.space import Space
from simonides.sim.spacesetup import SpaceSetup
from simonides.sim.trace import SPACE, Trace, TraceWriter
from simonides.sim.trial import Assembly, Models, Table, assemble, hosted, own_of, services_of, ways_of
from simonides.sim.types import Plain
from simonides.sim.world import WorldSetup

READY, SCRATCH, SEGMENT = "forked", "before", "parent"
Run = Callable[[Trial, Path, Layout], object]
"""Runs a trial in a folder, inline."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The trial that is forked: its data, its folder, and the layout that it ran in."""

    trial: Trial
    folder: Path
    layout: Layout


def fork(trial: Trial, folder: Path, layout: Layout, origin: Origin, run: Run, cache: Path | None = None) -> Trial:
    """Fill a trial's folder with what it goes on from, unless that was done before; return the trial to be run.

    It is the trial given, with the tick at which it goes on; or as one that begins by itself where that tick is 0.
    Raises StudyError when the two trials do not go together, and what reading the other's folder raises.
    """
    assert trial.forked is not None
    if (folder / READY).exists():
        return _going_on(trial, int((folder / READY).read_text()))
    folder.mkdir(parents=True, exist_ok=True)
    services = services_of(origin.trial.study, cache, Models())
    before = assemble(origin.trial, services)
    after = assemble(trial, services_of(trial.study, cache, Models()))
    tick = _tick_of(trial, before, after)
    _check(before, after, tick)
    if tick > 0:
        _fill(tick, folder, layout, origin, run, (before, after), services)
    (folder / READY).write_text(str(tick))
    return _going_on(trial, tick)


def _going_on(trial: Trial, tick: int) -> Trial:
    return trial.model_copy(update={"base": tick or None})


def _tick_of(trial: Trial, before: Assembly, after: Assembly) -> int:
    """Return the tick at which a trial goes on: the one given, or the last step of all worlds before they differ."""
    assert trial.forked is not None
    if trial.forked.tick is not None:
        return trial.forked.tick
    kept = {change.id for change in _changes(before)}
    ticks = [change.tick if change.tick is not None else 0 for change in _changes(after) if change.id not in kept]
    first = min(ticks, default=0)
    return next(t for t in range(first, -1, -1) if all(_is_step(world, t) for world in after.worlds))


def _changes(assembly: Assembly) -> Iterator[Change | WorldChange]:
    """Yield every change of a trial."""
    for space in assembly.spaces:
        yield from space.changes
    for world in assembly.worlds:
        yield from world.schedule.changes


def _is_step(world: WorldSetup, tick: int) -> bool:
    return tick <= world.join or (tick - world.join) % world.stride == 0


def _fill(
    tick: int, folder: Path, layout: Layout, origin: Origin, run: Run, pair: tuple[Assembly, Assembly],
    services: Services,
) -> None:  # fmt: skip
    scratch, (before, after) = folder / SCRATCH, pair
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    begin = _copy_checkpoints(before, origin, tick, scratch / "checkpoints")
    if begin is None and (origin.folder / READY).exists() and int((origin.folder / READY).read_text()) > 0:
        raise StudyError(f"--at {tick}: {origin.folder} begins later; fork the run that it comes from.")
    run(origin.trial.model_copy(update={"base": begin, "pause": tick}), scratch, _inline(origin.layout))
    _share_trace(folder, origin.folder, scratch, begin or 0, tick)
    store = CheckpointStore(scratch / "checkpoints")
    _seat(after, before, layout, origin.layout, store, folder, services, tick)
    shutil.rmtree(scratch)


def _inline(layout: Layout) -> Layout:
    return layout.model_copy(update={"runtime": "inline"})


def _check(before: Assembly, after: Assembly, tick: int) -> None:
    """Raise StudyError where a change would have begun before the fork, or a world is between two steps at it."""
    kept = {change.id for change in _changes(before)}
    for change in _changes(after):
        if change.id not in kept and change.tick is not None and change.tick < tick:
            raise StudyError(
                f"interventions: the {change.kind} of tick {change.tick} begins before the fork at tick {tick}."
            )
    for world in after.worlds:
        if not _is_step(world, tick):
            step = world.stride
            raise StudyError(
                f"--at {tick}: world {world.name!r} steps every {step} ticks from tick {world.join} on; fork at one of "
                f"its steps, such as {tick - (tick - world.join) % step}."
            )


# --- before the fork ----------------------------------------------------------------------------------------------


def _copy_checkpoints(before: Assembly, origin: Origin, tick: int, into: Path) -> int | None:
    """Copy the newest checkpoints that all parts have in common, not after `tick`; return their tick, or None."""
    store = CheckpointStore(origin.folder / "checkpoints")
    shared = [space.name for spaces in hosted(before, origin.layout).values() for space in spaces]
    ticks = sorted({t for world in before.worlds for t in store.ticks("world", world.name)}, reverse=True)
    if shared:
        ticks = sorted(set.intersection(*(set(store.ticks("space", name)) for name in shared)), reverse=True)
    for found in (t for t in ticks if t <= tick):
        worlds = [(world.name, _checkpoint_of(world, store, found)) for world in before.worlds if world.join <= found]
        if all(at is not None for _, at in worlds):
            into.mkdir(parents=True, exist_ok=True)
            copied = CheckpointStore(into)
            for kind, name, at in [("world", *one) for one in worlds] + [("space", name, found) for name in shared]:
                copied.save(kind, name, at or 0, store.load(kind, name, at or 0).data)
            return found
    return None


def _checkpoint_of(world: WorldSetup, store: CheckpointStore, tick: int) -> int | None:
    """Return the tick of the state from which a world goes on beside spaces that stand at `tick`, or None."""
    ticks = store.ticks("world", world.name)
    step = world.join + -(-(tick - world.join) // world.stride) * world.stride
    if step in ticks:
        return step
    last = max((t for t in ticks if t < step), default=None)
    ended = last is not None and decode(store.load("world", world.name, last).data)["done"]
    return last if ended else None


# --- at the fork --------------------------------------------------------------------------------------------------


def _seat(
    after: Assembly, before: Assembly, layout: Layout, old: Layout, store: CheckpointStore, folder: Path,
    services: Services, tick: int,
) -> None:  # fmt: skip
    """Write the checkpoints that the new trial begins with."""
    worlds: dict[str, tuple[int, dict[str, Any]]] = {}
    for world in before.worlds:
        saved = store.latest("world", world.name)
        if saved is not None:
            worlds[world.name] = (saved.tick, decode(saved.data))
    states: dict[str, bytes] = {}
    for spaces in hosted(before, old).values():
        states |= {space.name: store.load("space", space.name, tick).data for space in spaces}
    for _, state in worlds.values():
        states |= state.get("spaces", {})
    ended = {name for name, (_, state) in worlds.items() if state["done"]}
    lost = {space.name for space in before.spaces if space.name not in states and set(space.members) & ended}
    seats = Seats(after, tick, states, lost, folder, services)
    table, target = hosted(after, layout), CheckpointStore(folder / "checkpoints")
    target.folder.mkdir(parents=True, exist_ok=True)
    for spaces in table.values():
        for space in spaces:
            target.save("space", space.name, tick, seats.of(space))
    for setup in after.worlds:
        if setup.name in worlds:
            at, state = worlds[setup.name]
            moved = state if state["done"] else {**state, "spaces": seats.beside(table, setup.name)}
            target.save("world", setup.name, at, pack(_reported(moved, after, table, setup.name)))


@dataclass(frozen=True, slots=True)
class Seats:
    """The state that each space of the new trial begins with."""

    after: Assembly
    tick: int
    states: Mapping[str, bytes]
    lost: set[str]
    """Spaces beside worlds that have ended: their state was not kept."""
    folder: Path
    services: Services

    def beside(self, table: Table, world: str) -> dict[str, bytes]:
        """Return the states of the spaces that live beside a world."""
        return {space.name: self.of(space) for space in own_of(self.after, table, world)}

    def of(self, setup: SpaceSetup) -> bytes:
        """Return a space's state. Raises StudyError when the memory system cannot go on from it."""
        if setup.name in self.lost:
            raise StudyError(f"The space {setup.name!r} ended with its world before tick {self.tick}: nothing is left.")
        if setup.name not in self.states:
            space = Space(setup, self.after.trial.seed, self.services)
            space.tick = max(space.tick, self.tick)
            return space.snapshot()
        state = decode(self.states[setup.name])
        try:
            setup.make().restore(state[3])
        except (CorruptFile, ValueError, KeyError, TypeError, IndexError) as error:
            text = " ".join(str(error).split())
            raise StudyError(f"memory: the state of {setup.name!r} at tick {self.tick} does not fit: {text}") from None
        return pack([*state[:6], self._with_lived(setup, state[6]), state[7], self._with_stamps(setup, state[8])])

    def _with_stamps(self, setup: SpaceSetup, guard: Plain) -> Plain:
        """Return the state of a space's doors with what is known of its experiences, for defences that are new here."""
        if guard is not None or not setup.guarded:
            return guard
        lived = Lineage.of(Trace(self.folder)).experiences
        stamps = {}
        for id, (world, agent, tick, _) in self._lived(setup).items():
            one = lived.get(id)
            told = (one.speaker, one.channel, tick, one.time) if one is not None else ("", "observation", tick, 0.0)
            stamps[id] = (f"{world}/{agent}", *told, 1.0)
        return ("", stamps, [], [])

    def _with_lived(self, setup: SpaceSetup, changes: Plain) -> Plain:
        """Return the state of a space's interventions with who lived what, which a purge that is new here asks for."""
        if not any(isinstance(one.what, Purge) for one in setup.changes):
            return changes
        begun, lived, told = changes if changes is not None else ({}, None, {})
        return begun, lived if lived is not None else self._lived(setup), told

    def _lived(self, setup: SpaceSetup) -> dict[str, Plain]:
        """Return what `Changes` would have noted of the experiences written to a space, read from the trace."""
        planted = {(p.text, p.agent): p.world for one in setup.changes if isinstance(p := one.what, Plant)}
        found: dict[str, Plain] = {}
        for row in map(space_row, Trace(self.folder).of(SPACE, setup.name)):
            texts = {one.id: one.text for one in row.planted}
            for op in row.operations:
                if op.kind == "write":
                    found[op.experience] = (op.world, op.agent, row.tick - op.hop, False)
                elif op.kind == "plant":
                    world = planted.get((texts[op.experience], op.agent), "")
                    found[op.experience] = (world, op.agent, row.tick, True)
        return found


def _reported(state: dict[str, Any], after: Assembly, table: Table, world: str) -> dict[str, Any]:
    """Return a world's state with what is still to be sent sorted to the ports that the world has now."""
    ports = [mine for _, mine in ways_of(table, world)]
    own = frozenset(space.name for space in own_of(after, table, world))
    ports += [own] if own else []
    writes = [write for outbox in state["outbox"] for write in outbox]
    sent = max(state["sent"], default=-1)
    outbox: list[Plain] = [[write for write in writes if write[0] in mine] for mine in ports]
    return {**state, "outbox": outbox, "sent": [sent] * len(ports)}


def _share_trace(folder: Path, parent: Path, scratch: Path, begin: int, tick: int) -> None:
    """Write the rows before the fork: the other trial's before `begin`, then those of its way to `tick`."""
    for segment in folder.glob(f"*-{SEGMENT}-0000.msgpack"):
        segment.unlink()
    writer = TraceWriter(folder, SEGMENT, 0)
    for rows in (_rows(parent, 0, begin), _rows(scratch, begin, tick)):
        for kind, name, at, payload in rows:
            writer.row(kind, name, at, payload)
    writer.close()


def _rows(folder: Path, begin: int, end: int) -> Iterator[tuple[int, str, int, bytes]]:
    return ((row.kind, row.name, row.tick, row.payload) for row in Trace(folder).rows if begin <= row.tick < end)
