"""Names for people: what a study varies, each value's label, and the condition that a trial belongs to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from simonides.experiments.metrics.columns import RESERVED
from simonides.sim.config import Study, Trial
from simonides.sim.types import Plain

CLEAN = "clean"
ATTACK = "interventions"


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that a study varies: its key in the study, a name for it, and its levels' labels in their order."""

    path: str
    name: str
    labels: tuple[str, ...]
    interferes: bool = False
    """That its levels have names of their own, and set the study's interventions."""

    @property
    def attack(self) -> bool:
        """Whether this factor is about interventions, such as planted records."""
        return self.interferes or self.path.split(".")[0] == ATTACK


def factors(study: Study) -> tuple[Factor, ...]:
    """Return what a study varies, in its order."""
    names = _names(list(study.factors))
    return tuple(
        Factor(path, names[path], _labels(path, values), any(ATTACK in study.sets(path, one) for one in values))
        for path, values in study.factors.items()
    )


def _labels(path: str, values: Collection[Plain]) -> tuple[str, ...]:
    """Return names of values without their parameters where that tells them apart, else with them."""
    short = tuple(label(path, value, brief=True) for value in values)
    if len(set(short)) == len(short):
        return short
    full = tuple(label(path, value) for value in values)
    return tuple(f"{one} ({n})" if full.count(one) > 1 else one for n, one in enumerate(full, start=1))


def _names(paths: Sequence[str]) -> dict[str, str]:
    """Return a short name a path; the whole path where two would be called alike, or a table has a column of that name.

    A path that is such a name itself, or one of a table's, gets "(factor)" behind it.
    """
    short = {path: "attack" if path == ATTACK else path.removesuffix(".name").split(".")[-1] for path in paths}
    taken = list(short.values())
    named = {path: name if taken.count(name) == 1 and name not in RESERVED else path for path, name in short.items()}
    return {path: f"{name} (factor)" if name in RESERVED else name for path, name in named.items()}


def labels(study: Study, trial: Trial) -> tuple[str, ...]:
    """Return the labels of a trial's cell, in the order of the study's factors."""
    return labeller(study)(trial)


def labeller(study: Study) -> Callable[[Trial], tuple[str, ...]]:
    """Return what gives the labels of any trial's cell, for going through many of them."""
    known = [(factor, list(study.factors[factor.path])) for factor in factors(study)]
    return lambda trial: tuple(factor.labels[levels.index(trial.cell[factor.path])] for factor, levels in known)


def condition(values: Sequence[str]) -> str:
    """Return one name for a cell from the labels of its factors."""
    return " · ".join(values) or "all trials"


def label(path: str, value: Plain, brief: bool = False) -> str:
    """Return a value of a factor as people read it: `vector (hybrid)`, `clean`, `one false record at tick 60`.

    `brief` leaves parameters and ticks out.
    """
    if path == ATTACK and isinstance(value, Sequence):
        return _interventions(value, brief)
    if isinstance(value, Mapping) and value.get("name"):
        extras = [str(k) if v is True else f"{k}={_inner(v)}" for k, v in value.items() if k != "name"]
        return f"{value['name']} ({', '.join(extras)})" if extras and not brief else str(value["name"])
    return _inner(value)


def _inner(value: Plain) -> str:
    if isinstance(value, Mapping):
        return "+".join(str(v) for v in value.values()) or "none"
    if isinstance(value, list | tuple):
        return "+".join(_inner(item) for item in value) or "none"
    return str(value)


def _interventions(levels: Sequence[Mapping[str, Plain]], brief: bool) -> str:
    if not levels:
        return CLEAN
    plants = [one for one in levels if one.get("kind", "plant") == "plant"]
    others = [str(one["kind"]).replace("_", " ") for one in levels if one not in plants]
    return " and ".join([*([_plants(plants)] if plants else []), *others]) + ("" if brief else _ticks(levels))


def _plants(plants: Sequence[Mapping[str, Plain]]) -> str:
    kind = "false" if any(plant.get("tainted", True) for plant in plants) else "benign"
    return f"one {kind} record" if len(plants) == 1 else f"{len(plants)} {kind} records"


def _ticks(levels: Sequence[Mapping[str, Plain]]) -> str:
    ticks = [str(one["tick"]) for one in levels if one.get("tick") is not None]
    sessions = [str(one["session"]) for one in levels if one.get("session") is not None]
    told = [("tick", ticks), ("session", sessions)]
    return "".join(f" at {name} {', '.join(values)}" for name, values in told if values)
