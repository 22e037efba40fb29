"""What a run cannot conclude: too few seeds, trials that failed, victims that are rules, models that are stand-ins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from simonides.experiments.metrics.cells import RunTables
from simonides.experiments.metrics.contrasts import rho_factor
from simonides.experiments.metrics.stats import CLAIM_SEEDS
from simonides.sim.config import Study
from simonides.sim.errors import UserError
from simonides.sim.registry import registry
from simonides.sim.types import Plain

VICTIM = (
    "What the agents believe is decided by a rule. Results show whether a fact is written, survives, is retrieved and "
    "outweighs other evidence under that rule; not whether a language model is persuaded, follows or refuses. How "
    "readily it obeys and copies, and how much evidence it asks for (rho, kappa, theta), are assumptions."
)
READER = (
    "Answers come from a rule that cuts words out of what was recalled, not from a language model. They show whether "
    "what is needed is written, survives, is retrieved and outweighs other evidence under that rule; not whether a "
    "model would be persuaded, would refuse, or would answer better. Compare conditions here with each other, not with "
    "published scores of models."
)
MODEL = (
    "Memory systems that ask a model were given the scripted one, which extracts words by rule: their summaries are "
    "poorer than those of a language model."
)


def limits_of(tables: RunTables) -> Iterator[str]:
    """Yield a line for each thing that a reader must not conclude from a run."""
    study = tables.study
    yield from _seeds(tables)
    yield from _failed(tables)
    policies, models = used(study, "policy"), used(study, "model")
    if "extractive-reader" in policies:
        yield READER
    if any(_by_rule(name, "scripted" in models) for name in sorted(policies)):
        yield VICTIM
    if rho_factor(tables) is not None and study.primary is None and not study.pair:
        yield "rho is varied and no primary contrast is declared: conclusions that flip with it are not marked."
    if "scripted" in models:
        yield MODEL
    if "dialogue" in used(study, "environment"):
        yield "The dialogues are generated from templates: plainer than people's, and alike between seeds."
    yield from (f"Left out: {line}" for line in tables.missing)


def _seeds(tables: RunTables) -> Iterator[str]:
    if tables.unit == "world":
        yield (
            f"One seed over {tables.units} recorded worlds: intervals resample worlds, and say how the mean would vary "
            "over other worlds of this kind, not over seeds."
        )
    elif tables.units < 2:
        yield f"One seed: too few seeds for an interval, and none is given. Exploratory; a claim needs {CLAIM_SEEDS}."
    elif tables.units < CLAIM_SEEDS:
        yield (
            f"Too few seeds for a claim ({tables.units}; {CLAIM_SEEDS} or more are needed): exploratory. With so few, "
            "a 95 % interval is little more than the range of what was seen."
        )


def _failed(tables: RunTables) -> Iterator[str]:
    failed = tables.trials.filter(pl.col("status") == "failed").height
    if failed:
        yield f"{failed} of {tables.trials.height} trials failed. They count in no rate, neither for it nor against it."


def _by_rule(policy: str, scripted: bool) -> bool:
    """Return whether a policy believes by a rule: its own, as its class says, or that of the scripted model it asks."""
    try:
        kind = registry("policy").load(policy)
    except UserError:
        return False  # a part of somebody else's, of which a run that lies here may be all that there is
    return bool(getattr(kind, "by_rule", False)) or (scripted and bool(getattr(kind, "purposes", ())))


def used(study: Study, part: str) -> set[str]:
    """Return the names of a part of this kind that any cell of a study has."""
    given = getattr(study, part)
    found = {given.name} if given is not None else set()
    for factor, levels in study.factors.items():
        for level in levels:
            sets = study.sets(factor, level)
            found |= {_name(sets[path]) for path in (part, f"{part}.name") if path in sets}
    return found


def _name(value: Plain) -> str:
    return str(value.get("name", "")) if isinstance(value, Mapping) else str(value)
