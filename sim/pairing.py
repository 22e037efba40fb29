"""Studies that run every trial with its interventions and without them: how the trials without are added.

A pair is two levels of one factor, the one that sets `interventions`; the level without any is run once and the others
go on from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simonides.sim.errors import StudyError
from simonides.sim.types import Plain

if TYPE_CHECKING:
    from simonides.sim.config import Study

INTERVENTIONS = "interventions"
CLEAN = "clean"
"""Name of the added level, where a factor's levels have names."""


def factor_of(study: Study) -> str | None:
    """Return the factor that sets a study's interventions, or None. Raises StudyError where it is not one alone."""
    found = []
    for name, levels in study.factors.items():
        paths = {path for level in levels for path in study.sets(name, level)}
        if INTERVENTIONS in paths:
            found.append(name)
            if study.pair and len(paths) > 1:
                other = min(paths - {INTERVENTIONS})
                raise StudyError(
                    f"factors.{name}: with pair, a factor that sets interventions sets nothing else: {other}."
                )
    if study.pair and len(found) > 1:
        raise StudyError(f"factors: with pair, one factor sets interventions; found {' and '.join(found)}.")
    return found[0] if found else None


def with_clean(study: Study) -> Study:
    """Return a study with pairs in which every cell has its trials without interventions. Raises StudyError."""
    if not study.pair:
        return study
    name = factor_of(study)
    if name is None:
        if not study.interventions:
            raise StudyError("pair: there is no intervention to do with and without; give some, or leave pair out.")
        told = [{"kind": one.kind, **one.model_dump(mode="json", exclude_defaults=True)} for one in study.interventions]
        levels: Any = [[], told]
        return study.model_copy(update={"factors": {INTERVENTIONS: levels, **study.factors}, INTERVENTIONS: ()})
    known = study.factors[name]
    if clean_level(study, name) is not None:
        return study
    added = {CLEAN: {INTERVENTIONS: []}, **known} if isinstance(known, Mapping) else [[], *known]
    return study.model_copy(update={"factors": {**study.factors, name: added}})


def clean_level(study: Study, factor: str) -> tuple[Plain] | None:
    """Return the level of a factor that sets no intervention, as a tuple of one; None where there is none."""
    for level in study.factors[factor]:
        if not study.sets(factor, level)[INTERVENTIONS]:
            return (level,)
    return None
