"""Read AndroTMem-Bench's tasks and an agent's predictions as released, and score them; for `score androtmem`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simonides.experiments.metrics.androtmem import (
    STATUS_IDS,
    STEP_IDS,
    Gold,
    Step,
    Task,
    TaskScore,
    breakdown,
    kind_of,
    pixels,
    score_task,
)
from simonides.experiments.metrics.rows import Row, read_rows, read_text, short
from simonides.sim.errors import DataError, UserError

MEASURED = ("e2e_sec", "ttft_sec", "tpot_sec", "prompt_tokens", "completion_tokens")
"""What a prediction may say of its own cost: seconds in all, to the first token and a token, and tokens."""


@dataclass(slots=True)
class Predictions:
    """What was predicted for one task: actions by step index, the steps credited, and each step's measured cost."""

    actions: dict[str, Any] = field(default_factory=dict)
    credited: set[str] = field(default_factory=set)
    costs: list[Mapping[str, Any]] = field(default_factory=list)


def load_tasks(path: str | Path) -> list[Task]:
    """Read tasks from JSON lines or one JSON array. Raises DataError naming file, place and what was found."""
    return [_task(row) for row in _task_rows(Path(path))]


def _task_rows(path: Path) -> Iterator[Row]:
    text = read_text(path)
    if not text.lstrip().startswith("["):
        yield from read_rows(path)
        return
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: not JSON ({error.msg} at column {error.colno}).") from None
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise DataError(f"{path}, entry {number}: expected a JSON object, found {short(entry)}.")
        yield Row(path, number, entry)


def _task(row: Row) -> Task:
    steps = row.need("steps", list)
    if not steps or not all(isinstance(step, dict) for step in steps):
        raise row.fail("field 'steps' should hold at least one object.")
    found = tuple(_step(row, step) for step in steps)
    return Task(str(row.need("task_id", str, int)), str(row.fields.get("primary_intent") or "Unknown"), found)


def _step(row: Row, step: Mapping[str, Any]) -> Step:
    if "step_index" not in step:
        raise row.fail(f"a step has no 'step_index' (fields found: {', '.join(sorted(step)) or 'none'}).")
    extra = _map(step.get("extra_info"))
    statuses = [_map(status) for status in extra.get("status") or []]
    links = step["links"] if step.get("links") is not None else extra.get("links")
    gold = _gold(row, _map(step.get("actionForm")))
    return Step(
        index=str(step["step_index"]),
        names=_names(step, statuses),
        gold=gold,
        sources=tuple(_critical(links if isinstance(links, list) else [])),
        finishes=gold.action == "finish" or any("finish" in _words(status) for status in statuses),
    )


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(step: Mapping[str, Any], statuses: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    own = [str(step[key]) for key in STEP_IDS if step.get(key) is not None]
    told = [str(status[key]) for status in statuses for key in STATUS_IDS if status.get(key) is not None]
    return tuple(dict.fromkeys([*own, str(step["step_index"]), *told]))


def _words(status: Mapping[str, Any]) -> str:
    return f"{status.get('content', '')} {status.get('content_en', '')}".lower()


def _critical(links: Sequence[Any]) -> Iterator[str]:
    for link in map(_map, links):
        if link.get("is_critical") is True and link.get("source") is not None:
            yield str(link["source"])


def _gold(row: Row, form: Mapping[str, Any]) -> Gold:
    box = form.get("bbox")
    try:
        corners = tuple(map(float, box[:4])) if isinstance(box, list) and len(box) >= 4 else None
    except (TypeError, ValueError):
        raise row.fail(f"a 'bbox' should hold four numbers, found {short(box)}.") from None
    return Gold(
        kind_of(form.get("action", "")),
        str(form.get("value", "")),
        corners,  # type: ignore[arg-type]  # four floats, as counted above
        str(form.get("direction", "")),
    )


def load_predictions(path: str | Path, size: tuple[int, int] | None = None) -> dict[str, Predictions]:
    """Read predictions, one step a line, by task; of two lines for one step the later counts.

    The release writes pixels. With `size` (width, height in pixels) the points are read as a model gives them, from 0
    to 1000, and turned into pixels of a screen of that size. Raises DataError naming file, line and what was found.
    """
    found: dict[str, Predictions] = {}
    for row in read_rows(Path(path)):
        task = found.setdefault(str(row.need("task_id", str, int)), Predictions())
        index = str(row.need("step_index", str, int))
        told = row.fields.get("prediction", {})
        action = told.get("action", told) if isinstance(told, dict) else told
        task.actions[index] = _in_pixels(action, size) if size else action
        task.credited.discard(index)
        if row.fields.get("credited_as_correct") is True:
            task.credited.add(index)
        if _map(row.fields.get("metrics")):
            task.costs.append(row.fields["metrics"])
    return found


def _in_pixels(action: Any, size: tuple[int, int]) -> Any:
    if not isinstance(action, dict):
        return action
    sides = {"x": size[0], "x_end": size[0], "y": size[1], "y_end": size[1]}
    return action | {name: pixels(action[name], side) for name, side in sides.items() if name in action}


def screen_size(told: str) -> tuple[int, int]:
    """Return width and height of a size like "1080x2400". Raises UserError for another form."""
    width, _, height = told.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) > 0 and int(height) > 0):
        raise UserError(f"A screen's size looks like 1080x2400, found {told!r}.")
    return int(width), int(height)


def score_files(
    tasks: str | Path, predictions: str | Path, size: tuple[int, int] | None = None
) -> tuple[list[TaskScore], dict[str, Any]]:
    """Score the tasks that the predictions name; return each one's score, and the breakdown with the mean costs.

    A step without a prediction scores 0. Raises DataError for a bad file, or where no task has a prediction.
    """
    told = load_predictions(predictions, size)
    scores = [
        score_task(task, told[task.id].actions, frozenset(told[task.id].credited))
        for task in load_tasks(tasks)
        if task.id in told
    ]
    if not scores:
        raise DataError(f"{predictions} has no prediction for any task of {tasks}; are they of the same release?")
    return scores, breakdown(scores) | {"costs": _mean_costs([cost for task in told.values() for cost in task.costs])}


def _mean_costs(costs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    means = {name: sum(float(cost.get(name) or 0) for cost in costs) / max(1, len(costs)) for name in MEASURED}
    return {"records": len(costs), **means}
