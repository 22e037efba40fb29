"""AndroTMem-Bench's two scores for GUI agents: action matching, and task completion over causal links.

Source: Shi et al. 2026 (arXiv 2603.18429), rules of the released scorer (https://github.com/CVC2233/AndroTMem,
`evaluation/evaluate_predictions.py`). Evaluation is teacher-forced: at each recorded step an agent saw the gold screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ALIASES: Mapping[str, str] = {
    "click": "tap", "type": "text", "input_text": "text", "terminate": "finish", "finish_task": "finish",
}  # fmt: skip
TYPED = ("text", "need_feedback")
POINTED = ("tap", "long_press")
SWIPED = ("swipe", "swipe_two_points")
BARE = ("open_app", "wait", "finish", "home", "back", "capture_screen")
"""Actions that need nothing but their type; an action outside these four groups never scores."""

GROWTH = 0.14
"""Share of a gold box's width and height that is added on each of its sides."""
SCALE = 1000
"""Models answer with coordinates from 0 to this."""
BIN = 10
"""Steps of a length bin."""
STRICT_LINKS = 2
"""Critical links that a task's required steps must hold to be in the strict subset; one step alone proves no memory."""

STEP_IDS = ("step_id", "id", "uuid", "uid", "node_id")
STATUS_IDS = ("id", "uuid", "status_id", "anchor_id", "node_id")


@dataclass(frozen=True, slots=True)
class Gold:
    """What was done at a step: the action's type, the text typed, the element's box in pixels, a swipe's direction."""

    action: str
    value: str = ""
    box: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom."""
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded step: its names (the first is its own, the others its index and statuses), and what it rests on."""

    index: str
    names: tuple[str, ...]
    gold: Gold
    sources: tuple[str, ...] = ()
    """Names at the other end of its critical links."""
    finishes: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One recorded task."""

    id: str
    intent: str
    steps: tuple[Step, ...]


def kind_of(action: Any) -> str:
    """Return an action's type without aliases and case."""
    name = str(action).lower().strip()
    return ALIASES.get(name, name)


def pixels(value: Any, size: int) -> int:
    """Return the pixel (0 to size - 1) of a coordinate that a model gave on the scale 0 to 1000; 0 for no number."""
    try:
        return max(0, min(round(float(value) / SCALE * (size - 1)), size - 1))
    except (TypeError, ValueError, OverflowError):
        return 0


def step_score(predicted: Any, gold: Gold) -> float:
    """Return 1.0 if a predicted action (a map with `action`, `x`, `y`, `value`, `direction`) is the gold one, else 0.0.

    The types must agree. Typed text must be equal but for case and outer blanks; a point must lie in the gold box,
    grown by 14 % of its size on each side; a swipe must have the same direction, and one at all.
    """
    if isinstance(predicted, str):
        predicted = {"action": predicted}
    if not isinstance(predicted, Mapping) or kind_of(predicted.get("action", "")) != gold.action:
        return 0.0
    if gold.action in TYPED:
        return float(_plain(predicted.get("value", "")) == _plain(gold.value))
    if gold.action in POINTED:
        return float(gold.box is not None and _inside(predicted.get("x"), predicted.get("y"), gold.box))
    if gold.action in SWIPED:
        direction = _plain(predicted.get("direction", ""))
        return float(direction == _plain(gold.direction) and direction != "")
    return float(gold.action in BARE)


def _plain(text: Any) -> str:
    return str(text).strip().lower()


def _inside(x: Any, y: Any, box: tuple[float, float, float, float]) -> bool:
    try:
        right_of, below = float(x), float(y)
    except (TypeError, ValueError):
        return False
    left, top, right, bottom = box
    wide, high = GROWTH * abs(right - left), GROWTH * abs(bottom - top)
    return left - wide <= right_of <= right + wide and top - high <= below <= bottom + high


@dataclass(frozen=True, slots=True)
class Required:
    """What a task's completion rests on: names of steps, critical links between them, and links to nothing."""

    steps: frozenset[str]
    links: int
    unresolved: frozenset[str]


def required(task: Task) -> Required:
    """Return the steps that the final one rests on, backwards over critical links.

    The final step is the last that finishes the task, or else the last of all.
    """
    known = _by_name(task.steps)
    final = next((step for step in reversed(task.steps) if step.finishes), task.steps[-1])
    found: set[str] = set()
    unresolved: set[str] = set()
    links, open_ = 0, [final.names[0]]
    while open_:
        step = known[open_.pop()]
        if step.names[0] in found:
            continue
        found.add(step.names[0])
        links += len(step.sources)
        unresolved.update(source for source in step.sources if source not in known)
        open_ += [known[source].names[0] for source in step.sources if source in known]
    return Required(frozenset(found), links, frozenset(unresolved))


def _by_name(steps: Iterable[Step]) -> dict[str, Step]:
    """Return name -> step; of two steps with one name the later has it, as in the release."""
    return {name: step for step in steps for name in step.names}


@dataclass(frozen=True, slots=True)
class TaskScore:
    """One task's outcome: the score of each step by its place, and whether the required steps are all right."""

    task: str
    intent: str
    scores: tuple[float, ...]
    completed: bool
    required: int
    links: int
    failed: tuple[str, ...]
    """Names of the required steps that are wrong, and of link sources that no step has."""
    unresolved: int

    @property
    def length(self) -> str:
        """The bin of the number of steps: "0-9", "10-19", ..."""
        start = len(self.scores) // BIN * BIN
        return f"{start}-{start + BIN - 1}"

    @property
    def strict(self) -> bool:
        """That at least two critical links must hold."""
        return self.links >= STRICT_LINKS

    def plain(self) -> dict[str, Any]:
        """Return the score as plain data, `ams` being the mean over its steps and `tcr` 1 or 0."""
        return {
            "task_id": self.task, "intent": self.intent, "steps": len(self.scores),
            "ams": sum(self.scores) / len(self.scores), "tcr": int(self.completed), "required": self.required,
            "critical_links": self.links, "failed": list(self.failed), "unresolved_links": self.unresolved,
        }  # fmt: skip


def score_task(task: Task, predicted: Mapping[str, Any], credited: frozenset[str] = frozenset()) -> TaskScore:
    """Score the predicted actions, by step index. Steps in `credited` count as right: their screenshot was missing."""
    scores = tuple(
        1.0 if step.index in credited else step_score(predicted.get(step.index), step.gold) for step in task.steps
    )
    by_index = {step.index: score for step, score in zip(task.steps, scores, strict=True)}
    need, known = required(task), _by_name(task.steps)
    wrong = {name for name in need.steps if by_index[known[name].index] < 1.0}
    failed = tuple(sorted(wrong | need.unresolved))
    return TaskScore(
        task.id, task.intent, scores, not failed, len(need.steps), need.links, failed, len(need.unresolved)
    )


def summary(scores: Sequence[TaskScore]) -> dict[str, Any]:
    """Return `tasks`, `steps`, `ams` (mean over all steps) and `tcr` (share of tasks); None where there is nothing."""
    marks = [mark for score in scores for mark in score.scores]
    return {
        "tasks": len(scores), "steps": len(marks),
        "ams": sum(marks) / len(marks) if marks else None,
        "tcr": sum(score.completed for score in scores) / len(scores) if scores else None,
        "required_steps": sum(score.required for score in scores),
        "failed_required": sum(len(score.failed) for score in scores),
        "unresolved_links": sum(score.unresolved for score in scores),
    }  # fmt: skip


def breakdown(scores: Sequence[TaskScore]) -> dict[str, Any]:
    """Return the summary of all tasks, of the strict subset, by intent, by length bin, and by both."""
    lengths = sorted({score.length for score in scores}, key=lambda name: int(name.split("-")[0]))
    binned = {name: [score for score in scores if score.length == name] for name in lengths}
    return {
        "overall": summary(scores),
        "strict_links": summary([score for score in scores if score.strict]),
        "by_intent": _by_intent(scores),
        "by_length": {name: summary(group) for name, group in binned.items()},
        "by_length_and_intent": {name: _by_intent(group) for name, group in binned.items()},
    }


def _by_intent(scores: Sequence[TaskScore]) -> dict[str, Any]:
    intents = sorted({score.intent for score in scores})
    return {intent: summary([score for score in scores if score.intent == intent]) for intent in intents}


def dependency_recall(needed: Iterable[str], read: Iterable[str]) -> float | None:
    """Return the share of the needed source values that stand in the texts that were read; None if none is needed.

    Case and outer blanks do not count. A value counts as read when it stands in a text as a whole word or phrase.
    """
    values = [f" {_worded(value)} " for value in needed]
    texts = [f" {_worded(text)} " for text in read]
    return sum(any(value in text for text in texts) for value in values) / len(values) if values else None


def _worded(text: str) -> str:
    """Return a text's words and numbers, lower case, one blank between; a dot or colon within a number stays."""
    kept = "".join(c if c.isalnum() or c in ".:@" else " " for c in text.lower())
    return " ".join(word.strip(".:") for word in kept.split())
