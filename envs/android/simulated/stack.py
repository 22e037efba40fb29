"""Tasks: stacks of activities in the order of their last use, and which activity takes an intent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simonides.envs.android.simulated.app import App, Intent, Record


@dataclass(slots=True)
class Task:
    """A stack of activities, the top last; `package` is that of the one at its root."""

    package: str
    records: list[Record] = field(default_factory=list)


class Stacks:
    """All tasks, the one in front last."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self._ids = 0

    @property
    def top(self) -> Record:
        """The activity that is shown."""
        return self.tasks[-1].records[-1]

    def find(self, id: int) -> Record | None:
        """Return the record of an id, None when it is gone."""
        return next((record for task in self.tasks for record in task.records if record.id == id), None)

    def front(self, package: str) -> bool:
        """Bring an app's task to the front; return false when it has none."""
        task = next((task for task in self.tasks if task.package == package), None)
        if task is None:
            return False
        self.tasks.remove(task)
        self.tasks.append(task)
        return True

    def push(self, component: str, intent: Intent, caller: int, request: str, new_task: bool) -> Record:
        """Put an activity on the front task, or on its app's own, and return its record."""
        self._ids += 1
        record = Record(self._ids, component, intent, caller=caller, request=request)
        if new_task and not self.front(record.package):
            self.tasks.append(Task(record.package))
        self.tasks[-1].records.append(record)
        return record

    def remove(self, record: Record) -> bool:
        """Take an activity off its stack; return whether it was the last one there: its task goes, too."""
        count = len(self.tasks)
        for task in self.tasks:
            task.records = [one for one in task.records if one is not record]
        self.tasks = [task for task in self.tasks if task.records]
        return len(self.tasks) < count

    def drop(self, package: str) -> None:
        """Take all activities of an app off all stacks."""
        for task in self.tasks:
            task.records = [record for record in task.records if record.package != package]
        self.tasks = [task for task in self.tasks if task.records]

    def plain(self) -> dict[str, Any]:
        """Return all tasks as plain data."""
        return {
            "ids": self._ids,
            "tasks": [[task.package, [_plain(one) for one in task.records]] for task in self.tasks],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to the tasks of `plain`."""
        self._ids = state["ids"]
        self.tasks = [Task(package, [_record(one) for one in records]) for package, records in state["tasks"]]


def _plain(record: Record) -> list[Any]:
    return [
        record.id, record.component, record.intent.plain(), record.state, record.fields, record.scrolled, record.focus,
        record.caller, record.request,
    ]  # fmt: skip


def _record(found: Sequence[Any]) -> Record:
    id, component, intent, *rest = found
    return Record(id, component, Intent(**intent), *rest)


def takers(apps: Mapping[str, App], intent: Intent) -> list[str]:
    """Return the components that take an intent, in the order of their packages."""
    if intent.component:
        return [intent.component]
    return [
        f"{package}/{activity.name}"
        for package, app in sorted(apps.items())
        for activity in app.activities
        if any(one.takes(intent) for one in activity.filters)
    ]
