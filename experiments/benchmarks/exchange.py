"""Time an exchange with a memory actor on Ray: empty, and as worlds that share a space live it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from simonides.experiments.benchmarks.actors import Actors, Send, actors
from simonides.experiments.benchmarks.measure import Figure, Load, Result, Scale, Timing, clocked, in_turns
from simonides.experiments.benchmarks.trials import PARTS, ring, trial_of
from simonides.sim.config import Layout
from simonides.sim.exchange import Batch, pack_batch, unpack_reply
from simonides.sim.trial import world_name


def exchange(scale: Scale) -> Result:
    """Return the milliseconds of an empty exchange, and of a tick of worlds that share one space."""
    count, length = scale.of(500, 50), scale.of(300, 50)
    with actors() as ray, tempfile.TemporaryDirectory(prefix="simonides-bench-") as folder:
        loads: dict[str, Load] = {
            "empty": Empty(ray.memory(ring(1, 1), Path(folder)), count),
            **{f"{n} worlds": sharing(ray, n, length) for n in (1, 2)},
        }
        found = in_turns(loads, scale.repeats)
    named = {
        "empty": "an empty exchange",
        "1 worlds": "a tick of one world with a space in a memory actor",
        "2 worlds": "a tick of two worlds, in two actors, that share a space",
    }
    return Result("exchange", tuple(Figure(text, found[name].wall * 1e3, "ms") for name, text in named.items()))


class Empty:
    """A load: exchanges without reads or writes, one after another."""

    def __init__(self, send: Send, count: int) -> None:
        self._send, self._count, self._tick = send, count, 0
        self._exchange(1)  # the actor is up when it has answered

    def _exchange(self, count: int) -> None:
        for tick in range(self._tick, self._tick + count):
            unpack_reply(self._send(pack_batch(Batch(world_name(0), tick, durable=tick))))
        self._tick += count

    def __call__(self) -> Timing:
        """Exchange `count` times."""
        return clocked(lambda: self._exchange(self._count)).each(self._count)


def sharing(ray: Actors, worlds: int, length: int) -> Load:
    """Return a load: worlds in an actor each, all of whose agents share one space in a memory actor."""
    trial = trial_of(
        environment={"name": f"{PARTS}Ring", "length": length},
        policy={"name": f"{PARTS}Alternating", "asks": True},
        wiring="global",
        worlds=worlds,
    )
    layout = Layout(runtime="ray", world_actors=worlds, private="actors")

    def load() -> Timing:
        with tempfile.TemporaryDirectory(prefix="simonides-bench-") as folder:
            return Timing(ray.live(trial, Path(folder), layout), 0.0).each(length)

    return load
