"""How fast the work cell is: control steps a second of processor time, with all arms moving."""

from __future__ import annotations

import time

from simonides.envs.manipulation import skills
from simonides.envs.manipulation.cell import Cell
from simonides.envs.manipulation.hiding import HideAndRecall


def control_steps(arms: int = 1, bins: int = 4, objects: int = 4, steps: int = 1000) -> float:
    """Return control steps (10 physics steps of 4 ms each) a second of this process's time, on one core.

    Every station has `bins` lidded bins and `objects` cubes in them; every arm taps its post and comes back, all along.
    """
    task = HideAndRecall(arms, bins, objects - 1, "hand")
    cell = Cell(task.layout)
    for station in range(arms):
        for piece, spot in zip(task.pieces, task.layout.bins.values(), strict=False):
            cell.put(station, piece, spot)
    started = time.process_time()
    for _ in range(steps):
        for number, arm in enumerate(cell.arms):
            if not arm.path:
                arm.start([*skills.touch_post(cell, number), *skills.look(cell, number)])
            arm.follow()
        cell.step()
    return steps / (time.process_time() - started)
