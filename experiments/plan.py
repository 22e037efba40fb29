"""Estimate what a study will ask of its models, by rehearsing one trial of each condition with scripted replies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simonides.experiments.runs import cache_folder
from simonides.sim.budget import BudgetConfig, Spent
from simonides.sim.config import Part, Study, Trial
from simonides.sim.inline import run_inline
from simonides.sim.modelcalls import read_calls
from simonides.sim.registry import registry
from simonides.sim.types import ModelCard, Plain


@dataclass(slots=True)
class Rehearsed:
    """What one trial of a condition asked, by purpose; its trials are as many as the study has seeds."""

    cell: str
    trials: int
    card: ModelCard | None
    purposes: dict[str, Spent] = field(default_factory=dict)
    error: str = ""

    @property
    def total(self) -> Spent:
        """What one trial asked in all."""
        total = Spent()
        for spent in self.purposes.values():
            total.add(*spent.plain())
        return total

    def study(self, spent: Spent) -> Spent:
        """Return what all trials of the condition would, if each asked `spent`."""
        return Spent(*(self.trials * count for count in spent.plain()))


def rehearse(study: Study) -> Iterator[Rehearsed]:
    """Yield what a trial of each condition asks; conditions whose parts ask no model cost nothing and are told too.

    The first seed stands for all. Budgets are lifted: the question is what would be asked without them.
    """
    by_cell: dict[str, list[Trial]] = {}
    for trial in study.trials():
        by_cell.setdefault(trial.id.rpartition("seed=")[0].rstrip(","), []).append(trial)
    for cell, trials in by_cell.items():
        yield _rehearse(cell or "all", trials[0], len(trials))


def _rehearse(cell: str, trial: Trial, trials: int) -> Rehearsed:
    part = trial.study.model
    if part is None:
        return Rehearsed(cell, trials, None)
    found = Rehearsed(cell, trials, registry("model").build(part.name, part.params, path="model").card)
    stand_in = trial.study.model_copy(update={"model": Part(name="rehearsal"), "budget": BudgetConfig()})
    with tempfile.TemporaryDirectory(prefix="simonides-plan-") as folder:
        played = trial.model_copy(update={"study": stand_in})
        outcome = run_inline(played, Path(folder) / "trial", cache=cache_folder(), calls=Path(folder))
        found.error = outcome.errors[0] if outcome.errors else ""
        for call in read_calls(Path(folder)):
            found.purposes.setdefault(call.purpose, Spent()).count([call.completion])
    return found


def plan(study: Study, console: Console) -> int:
    """Print what a study will ask, by condition and by purpose, against its budget; return 1 if a rehearsal failed."""
    found: list[Rehearsed] = []
    for one in rehearse(study):
        found.append(one)
        if one.error:
            console.print(f"{one.cell}: the rehearsal failed: {one.error}", markup=False, soft_wrap=True)
    console.print(_by_cell(found))
    if any(one.purposes for one in found):
        console.print(_by_purpose(found))
    total, money = Spent(), 0.0
    for one in found:
        spent = one.study(one.total)
        total.add(*spent.plain())
        money += spent.money(one.card) if one.card is not None else 0.0
    trials = sum(one.trials for one in found)
    tokens = f"{total.prompt_tokens:,} prompt and {total.completion_tokens:,} reply tokens"
    price = f", {money:,.2f} by the models' prices" if money else ""
    console.print(f"In all, {trials} trials: about {total.calls:,} calls, {tokens}{price}.", highlight=False)
    console.print("A rehearsal with scripted replies, one seed a condition; tokens are characters / 4.", style="dim")
    for line in _against(study.budget, total, money, found):
        console.print(line, highlight=False, soft_wrap=True)
    return int(any(one.error for one in found))


def _by_cell(found: list[Rehearsed]) -> Table:
    table = Table(title="Asked by one trial of each condition", title_justify="left")
    table.add_column("condition", overflow="fold")
    for name in ("trials", "calls", "prompt tokens", "reply tokens"):
        table.add_column(name, justify="right")
    for one in found:
        table.add_row(one.cell, str(one.trials), *(f"{count:,}" for count in one.total.plain()))
    return table


def _by_purpose(found: list[Rehearsed]) -> Table:
    sums: dict[str, Spent] = {}
    for one in found:
        for purpose, spent in one.purposes.items():
            sums.setdefault(purpose, Spent()).add(*one.study(spent).plain())
    table = Table(title="Asked by the whole study, by purpose", title_justify="left")
    table.add_column("purpose")
    for name in ("calls", "prompt tokens", "reply tokens"):
        table.add_column(name, justify="right")
    for purpose in sorted(sums):
        table.add_row(purpose, *(f"{count:,}" for count in sums[purpose].plain()))
    return table


def _against(budget: BudgetConfig, total: Spent, money: float, found: list[Rehearsed]) -> Iterator[str]:
    """Yield a line for each limit that would be reached."""
    tokens = total.prompt_tokens + total.completion_tokens
    for name, used in (("calls", total.calls), ("tokens", tokens), ("money", money)):
        limit: Plain = getattr(budget.study, name)
        if limit is not None and used >= limit:
            yield f"The study's budget of {limit:,} {name} would be reached: about {used:,.6g} are asked for."
    for one in found:
        if one.card is not None and (reached := one.total.reaches(budget.trial, one.card)):
            yield f"{one.cell}: a trial would reach its budget ({reached})."
