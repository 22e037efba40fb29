"""What people see while a run goes on: bars on a terminal, a plain line for each ended trial otherwise."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from simonides.experiments.runs import Outcome
from simonides.sim.config import Trial


class Lines:
    """One line for each trial that ends."""

    def __init__(self, console: Console, total: int, ended: int) -> None:
        self.console = console
        self.total = total
        self.count = ended

    def __enter__(self) -> Lines:
        """Begin to tell."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop telling."""

    def beat(self, trial: Trial, ticks: int) -> None:
        """Say nothing about a trial on its way."""

    def ended(self, trial: Trial, outcome: Outcome) -> None:
        """Print how a trial ended, and every error of it."""
        self.count += 1
        how = f"{outcome.status}, {outcome.ticks} ticks, {outcome.seconds:.1f} s"
        self.console.print(
            f"[{self.count}/{self.total}] {trial.id}: {how}", markup=False, highlight=False, soft_wrap=True
        )
        for text in (*outcome.errors, *outcome.notes):
            self.console.print(f"    {text}", markup=False, highlight=False, soft_wrap=True)


class Bars(Lines):
    """A bar for the run, and a line for each trial on its way."""

    def __init__(self, console: Console, total: int, ended: int) -> None:
        super().__init__(console, total, ended)
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn(),
            console=console, transient=True,
        )  # fmt: skip
        self._run = self._bars.add_task("trials", total=total, completed=ended, note=f"{ended}/{total}")
        self._trials: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        """Show the bars."""
        self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Take the bars away."""
        self._bars.stop()

    def beat(self, trial: Trial, ticks: int) -> None:
        """Move a trial's line."""
        if trial.id not in self._trials:
            self._trials[trial.id] = self._bars.add_task(escape(trial.id), total=None, note="")
        self._bars.update(self._trials[trial.id], note=f"{ticks} ticks")

    def ended(self, trial: Trial, outcome: Outcome) -> None:
        """Move the run's bar; print a trial only when it failed."""
        if trial.id in self._trials:
            self._bars.remove_task(self._trials.pop(trial.id))
        if outcome.status == "done" and not outcome.notes:
            self.count += 1
        else:
            super().ended(trial, outcome)
        self._bars.update(self._run, completed=self.count, note=f"{self.count}/{self.total}")


def progress(console: Console, total: int, ended: int) -> Lines:
    """Return what fits the console; `ended` of the `total` trials had ended before."""
    return (Bars if console.is_terminal else Lines)(console, total, ended)
