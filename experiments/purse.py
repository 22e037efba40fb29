"""What a study's budget has left for each trial, in the order of its trials: it ends at the same place everywhere."""

from __future__ import annotations

from simonides.experiments.runs import Outcome, Run
from simonides.sim.budget import Spent, left_of
from simonides.sim.config import Trial
from simonides.sim.registry import registry


class Purse:
    """The budget of a run's study. Its trials run one after another, so that each knows what those before it spent."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._limits = run.study.budget.study

    @property
    def limited(self) -> bool:
        """True when the study has a budget."""
        return self._limits.any

    def allow(self, trial: Trial) -> Trial | Outcome:
        """Return the trial with what is left for it, or how it ended without having begun."""
        if not self.limited or trial.study.model is None:
            return trial
        part = trial.study.model
        card = registry("model").build(part.name, part.params, path="model").card
        spent = Spent()
        for earlier in self._run.trials():
            if earlier.id == trial.id:
                break
            outcome = self._run.outcome(earlier)
            spent.add(*(outcome.spent if outcome is not None else (0, 0, 0)))
        left = left_of(self._limits, spent, card)
        if left is None:
            reason = f"{trial.id}: not begun, the study's budget is used up: {spent.reaches(self._limits, card)}."
            return Outcome(trial=trial.id, status="failed", errors=(reason,), cut=reason)
        return trial.model_copy(update={"allowance": left})
