"""Studies as data: what is varied, over which seeds, with which parts. Checked when built, not on tick 40,000."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from simonides.sim.budget import BudgetConfig, Limits
from simonides.sim.errors import StudyError, near
from simonides.sim.interventions import KINDS, Attack, Defend, Intervention, Rewire, with_kind
from simonides.sim.pairing import clean_level, factor_of, with_clean
from simonides.sim.probing import Probe
from simonides.sim.registry import one_line, registry
from simonides.sim.types import Plain


class Part(BaseModel):
    """A part by name, with its parameters beside the name: `{name: window, n: 20}`, or just `window`."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Plain) -> Plain:
        return {"name": value} if isinstance(value, str) else value

    @property
    def params(self) -> dict[str, Plain]:
        """The parameters, without the name."""
        return dict(self.model_extra or {})


class SamplingConfig(BaseModel):
    """How a model's replies are drawn where a part does not say."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    temperature: Annotated[float, Field(ge=0)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=1)] = 256
    """The most tokens of a reply."""


class Pair(BaseModel):
    """Every trial with interventions is run without them as well, and goes on from there."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    at: Annotated[int, Field(ge=0)] | None = None
    """The tick from which the two differ; by default that of the first intervention, 0 where nobody knows it before."""


class Primary(BaseModel):
    """The one outcome and the contrast that a study is about, named before it runs; its report tests them first."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    metric: str
    part: str = ""
    """The metric's part, such as "ASR-t" of `poisoning`."""
    factor: str
    """The factor whose levels are compared, as the study names it."""
    against: Plain
    """The level that the others are held against, paired by seed."""
    level: Plain = None
    """The level of the contrast; by default each of the others."""
    at: dict[str, Plain] = Field(default_factory=dict)
    """Levels of other factors at which the contrast is meant, such as `{policy.rho: 1.0}`; by default in every cell."""


class Study(BaseModel):
    """A design: parts, factors and seeds. It names its parts and imports none of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    description: str = ""
    environment: Part
    more_environments: tuple[Part, ...] = ()
    """Further environments of the same trial: world i has the environment i mod (1 + these)."""
    ticks_per_round: Annotated[int, Field(ge=1)] | None = None
    """Turns that make one step of a parallel world, where turn-based and parallel worlds share a space."""
    worlds: Annotated[int, Field(ge=1)] | None = None
    """How many worlds a trial has; by default as many as the environment says, or one."""
    memory: Part
    policy: Part
    wiring: Part = Part(name="private")
    embedder: Part | None = None
    model: Part | None = None
    sampling: SamplingConfig = SamplingConfig()
    prompts: Part = Part(name="packaged")
    """The wording of what a model that reads text is asked."""
    budget: BudgetConfig = BudgetConfig()
    interventions: tuple[Intervention, ...] = ()
    """What is changed while a trial runs, and when; see `sim/interventions.py`."""
    defences: tuple[Part, ...] = ()
    """What stands at the doors of every space of the agents, in this order."""
    defence_errors: Literal["open", "closed"] = "closed"
    """What a defence that raises means: what it was asked about passes, or does not."""
    probes: tuple[Probe, ...] = ()
    """What is asked of copies of the agents, so that measuring changes nothing; see `sim/probes.py`."""
    pair: bool | Pair = False
    """Run each trial with its interventions and without, and report paired differences."""
    factors: dict[str, list[Plain] | dict[str, dict[str, Plain]]] = Field(default_factory=dict)
    """What is varied; every combination is a cell. Either the dotted path of a field -> the values it takes, or any
    name -> its levels by name, each with the fields that it sets: `arm: {blind: {policy.recall: false}, full: {}}`."""
    seeds: Annotated[int, Field(ge=1)] | tuple[int, ...] = 3
    """A number of seeds (0, 1, ...) or the seeds themselves."""
    ticks: Annotated[int, Field(ge=1)] | None = None
    """The most ticks that a world lives; by default until its environment ends."""
    joins: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """The tick at which each world joins, in order; 0 for those not listed."""
    manage_every: Annotated[int, Field(ge=0)] = 0
    """Ticks between two calls of `manage`, besides the ends of sessions; 0 for none."""
    checkpoint_every: Annotated[int, Field(ge=0)] = 100
    """Ticks between two checkpoints; 0 for none before the end."""
    time_limit: Annotated[float, Field(gt=0)] = 300.0
    """Seconds after which one tick counts as hung. For hung code only: a trial that meets it is not reproducible."""
    metrics: tuple[str, ...] = ()
    primary: Primary | None = None
    """What the study is about, by its own word: it changes nothing of a trial."""
    data: str | None = None
    """Folder or file of the environment's data, when it needs one; handed to it as `data`."""

    @field_validator("factors", mode="before")
    @classmethod
    def _leveled(cls, value: Any) -> Any:
        for name, levels in value.items() if isinstance(value, Mapping) else ():
            named = isinstance(levels, Mapping) and all(isinstance(sets, Mapping) for sets in levels.values())
            if not (named or isinstance(levels, list | tuple)):
                wanted = "a list of values, or a map of levels that each set fields"
                raise ValueError(f"{name} takes {wanted}; found {levels!r:.80}")
        return value

    @field_validator("interventions", mode="before")
    @classmethod
    def _kinds(cls, value: Any) -> Any:
        return [with_kind(one) for one in value] if isinstance(value, list | tuple) else value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if isinstance(value, tuple) and (not value or len(set(value)) != len(value)):
            raise ValueError("seeds must be at least one and distinct")
        return value

    @model_validator(mode="after")
    def _declared(self) -> Study:
        one = self.primary
        told = {} if one is None else {**one.at, one.factor: one.against}
        for factor, level in [*told.items(), *([(one.factor, one.level)] if one and one.level is not None else [])]:
            if factor not in self.factors:
                raise ValueError(f"primary: {factor!r} is no factor of this study; it varies {', '.join(self.factors)}")
            if level not in self.factors[factor]:
                wanted = ", ".join(map(str, self.factors[factor]))
                raise ValueError(f"primary: {level!r} is no level of {factor}: {wanted}; `primary: null` names none")
        return self

    def environment_of(self, world: int) -> tuple[Part, str]:
        """Return the environment of the world with this index, with the study's data, and its path in the study."""
        parts = (self.environment, *self.more_environments)
        i = world % len(parts)
        data = {"data": self.data} if self.data is not None else {}
        path = "environment" if i == 0 else f"more_environments.{i - 1}"
        return Part.model_validate({**data, **parts[i].model_dump()}), path

    def cells(self) -> list[dict[str, Plain]]:
        """Return every combination of the factors' values as {factor: value or name of the level}, in order."""
        names = list(self.factors)
        return [dict(zip(names, values, strict=True)) for values in itertools.product(*self.factors.values())]

    def sets(self, factor: str, value: Plain) -> Mapping[str, Plain]:
        """Return the fields, by dotted path, that a factor sets in the cells where it has this value."""
        levels = self.factors[factor]
        return levels[value] if isinstance(levels, dict) else {factor: value}

    def trials(self) -> Iterator[Trial]:
        """Yield every trial: each cell with each seed, checked. Raises StudyError."""
        seeds = range(self.seeds) if isinstance(self.seeds, int) else self.seeds
        base = self.model_dump(mode="json")
        for cell in self.cells():
            fields = copy.deepcopy(base)
            for factor, chosen in cell.items():
                for path, value in self.sets(factor, chosen).items():
                    assign(fields, path, copy.deepcopy(value))
            fields["factors"], fields["pair"], fields["primary"] = {}, False, None
            study = parse_study(fields)
            twin = self._clean_twin(cell)
            for seed in seeds:
                forked = Forked(trial=_trial_id(twin, seed), tick=self._apart) if twin is not None else None
                yield Trial(id=_trial_id(cell, seed), cell=cell, seed=seed, study=study, forked=forked)

    @property
    def _apart(self) -> int | None:
        return self.pair.at if isinstance(self.pair, Pair) else None

    def _clean_twin(self, cell: Mapping[str, Plain]) -> dict[str, Plain] | None:
        """Return the cell that a cell of a pair is compared with and goes on from; None for that one itself."""
        factor = factor_of(self) if self.pair else None
        clean = clean_level(self, factor) if factor is not None else None
        if factor is None or clean is None or cell[factor] == clean[0]:
            return None
        return {**cell, factor: clean[0]}


class Forked(BaseModel):
    """Where a trial goes on from: another trial, as it stood at a tick."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    trial: str
    """The other trial's id."""
    tick: Annotated[int, Field(ge=0)] | None
    """None for the tick of the first change between them, which is found when the trial begins."""
    run: str | None = None
    """The folder of its run; None for a trial of the same run."""


class Trial(BaseModel):
    """One cell of a study with one seed: what one execution runs. Plain data, so that any process can assemble it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    cell: dict[str, Plain]
    seed: int
    study: Study
    allowance: Limits | None = None
    """What the study's budget has left for it."""
    forked: Forked | None = None
    """Set for a trial that may go on from another instead of beginning at tick 0: `sim/fork.py` makes that ready."""
    base: int | None = None
    """The tick from whose checkpoints it goes on, once they are there."""
    pause: int | None = None
    """The tick at which its worlds save themselves and stop, so that another trial can go on from there."""


class Layout(BaseModel):
    """Where a trial's parts run: never part of a study, and without effect on its trace."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    runtime: Literal["inline", "ray"] = "inline"
    world_actors: Annotated[int, Field(ge=1)] = 1
    memory_actors: Annotated[int, Field(ge=1)] = 1
    private: Literal["colocated", "actors"] = "colocated"
    """Spaces with a single member world live with that world, or in memory actors."""
    memory_budget: Annotated[int, Field(ge=0)] | None = None
    """Bytes of idle spaces that a host keeps unpacked, and again as packed bytes, before they go to disk."""
    calls: Literal["record", "replay", "off"] = "record"
    """Model calls: asked once and recorded, taken from the record alone, or asked each time."""
    model_replicas: Annotated[int, Field(ge=1)] = 1
    """Actors that each host an engine of a served model, on Ray."""
    model_cpus: Annotated[float, Field(ge=0)] = 1.0
    """Processors that Ray reserves for each of them."""
    model_gpus: Annotated[float, Field(ge=0)] = 0.0
    """GPUs that Ray reserves for each of them: tensor parallel size times pipeline parallel size on one node."""
    address: str | None = None
    """Address of a Ray cluster; None starts Ray on this machine."""


def _short(value: Plain) -> str:
    if isinstance(value, Mapping):
        return "+".join(str(value[k]) if k == "name" else f"{k}:{_short(value[k])}" for k in value) or "none"
    if isinstance(value, list | tuple):
        return "+".join(_short(item) for item in value) or "none"
    return str(value).replace("/", "_")


def _trial_id(cell: Mapping[str, Plain], seed: int) -> str:
    return ",".join([*(f"{path}={_short(value)}" for path, value in cell.items()), f"seed={seed}"])


def assign(fields: dict[str, Any], path: str, value: Plain) -> None:
    """Set a field by its dotted path, making maps on the way: `memory.k`. Raises StudyError for a path into a value."""
    *way, last = path.split(".")
    here: Any = fields
    for i, key in enumerate(way):
        if i == 0 and isinstance(here.get(key), str) and key in Study.model_fields:
            here[key] = {"name": here[key]}
        here = here.setdefault(key, {})
        if not isinstance(here, dict):
            raise StudyError(f"{path}: {'.'.join(way[: i + 1])} is a value, not a map; it has no field {last!r}.")
    here[last] = value


def parse_study(fields: Mapping[str, Plain]) -> Study:
    """Return the study of plain fields, with every part's parameters checked. Raises StudyError with the path."""
    unknown = sorted(set(fields) - set(Study.model_fields))
    if unknown:
        known = list(Study.model_fields)
        raise StudyError(f"{unknown[0]}: no such field of a study.{near(unknown[0], known)} Known: {', '.join(known)}.")
    try:
        study = with_clean(Study.model_validate(dict(fields)))
    except ValidationError as error:
        raise StudyError(UNION.sub(r"\1", one_line(error, ""))) from None
    if not study.factors:
        check_parts(study)
    else:
        for _ in study.trials():
            pass
    return study


UNION = re.compile(r"^(interventions\.\d+)\.(?:" + "|".join(KINDS) + r")\b")
"""pydantic puts the kind of an intervention into the path of what is wrong with it; a study file has no such field."""

SERVICES: Mapping[str, frozenset[str]] = {
    "environment": frozenset({"seed", "world"}),
    "memory": frozenset({"dimension"}),
    "policy": frozenset({"agent"}),
    "wiring": frozenset({"agents", "team_of", "seed"}),
    "defence": frozenset(),
    "attack": frozenset(),
}
"""Names that the assembler fills in a part's signature, by kind; a study never gives them."""


def check_parts(study: Study) -> None:
    """Check the parameters of every named part. Raises StudyError, UnknownName, MissingExtra."""
    for kind in ("memory", "policy", "wiring", "embedder", "model", "prompts"):
        part: Part | None = getattr(study, kind)
        if part is not None:
            registry(kind).check(part.name, part.params, kind, SERVICES.get(kind, frozenset()))
    for i in range(1 + len(study.more_environments)):
        environment, path = study.environment_of(i)
        registry("environment").check(environment.name, environment.params, path, SERVICES["environment"])
    for n, one in enumerate(study.interventions):
        if isinstance(one, Rewire):
            wiring = Part.model_validate(one.wiring)
            where = f"interventions.{n}.wiring"
            registry("wiring").check(wiring.name, wiring.params, where, SERVICES["wiring"])
        elif isinstance(one, Attack):
            attack = Part.model_validate(one.attack)
            registry("attack").check(attack.name, attack.params, f"interventions.{n}.attack", SERVICES["attack"])
        elif isinstance(one, Defend):
            _check_defences(study, [Part.model_validate(d) for d in one.defences], f"interventions.{n}.defences")
    _check_defences(study, study.defences, "defences")
    for name in study.metrics:
        registry("metric").load(name)


def _check_defences(study: Study, defences: Sequence[Part], path: str) -> None:
    for n, one in enumerate(defences):
        made = registry("defence").load(one.name)
        registry("defence").check(one.name, one.params, f"{path}.{n}", SERVICES["defence"])
        card = getattr(made, "card", None)
        for needed, given, named in (("embedder", study.embedder, "hashing"), ("model", study.model, "scripted")):
            if given is None and getattr(card, f"needs_{needed}", False):
                wanted = f"add {needed}: {{name: {named}}}"
                raise StudyError(f"{path}.{n}: {one.name} needs the study's {needed}, and it names none: {wanted}.")
