"""A world that never waits must not keep the event loop from the watchdog, other worlds and an interrupt."""

import asyncio

from toys import toy_study

from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline


def test_a_world_that_waits_for_nobody_lets_others_run(tmp_path):
    study = toy_study(wiring="private", worlds=1, environment={"name": "toys:ToyWorld", "n": 1, "length": 600})
    (trial,) = parse_study(study).trials()
    seen = []

    async def watch(worlds):
        while True:
            await asyncio.sleep(0)
            seen.append(worlds[0].tick)

    run_inline(trial, tmp_path, watch=watch)
    assert any(0 < tick < 600 for tick in seen)
