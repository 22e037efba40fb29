"""Write generated tasks as files in AndroTMem-Bench's form: task lines, and the gold screens if wanted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

from simonides.envs.android.tasks.acts import perform
from simonides.envs.android.tasks.generate import Made, generate, task_line
from simonides.sim.types import Plain


def write_tasks(folder: str | Path, seeds: Iterable[int], images: bool = False) -> Path:
    """Generate a task for each seed and write `tasks.jsonl`, `gold.jsonl` (predictions that are all right) and, with
    `images`, a PNG of the screen before each step under `images/`. Return the folder.
    """
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "tasks.jsonl").open("w") as tasks, (out / "gold.jsonl").open("w") as gold:
        for seed in seeds:
            made = generate(seed)
            tasks.write(json.dumps(task_line(made), ensure_ascii=False) + "\n")
            gold.writelines(json.dumps(line) + "\n" for line in gold_lines(made))
            if images:
                _draw(made, out / "images")
    return out


def gold_lines(made: Made) -> Iterator[dict[str, Plain]]:
    """Yield the gold actions as lines of predictions."""
    size = made.phone().size
    for i, step in enumerate(made.steps):
        action: dict[str, Plain] = {"action": step.act.prediction(size)}
        yield {"task_id": made.id, "step_index": i, "prediction": action, "execution_status": "success"}


def _draw(made: Made, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    phone = made.phone()
    for i, step in enumerate(made.steps):
        Image.fromarray(phone.screenshot()).save(folder / f"{made.id}_{i}.png")
        perform(phone, step.act)
