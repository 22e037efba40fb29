"""Generate long tasks over the simulated phone, solved by construction: gold actions come from driving the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from simonides.envs.android.simulated.apps import notes
from simonides.envs.android.simulated.apps import phone as new_phone
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.world import World, some
from simonides.envs.android.tasks.acts import WAIT, Act, perform, texts
from simonides.envs.android.tasks.chores import CHORES, chore
from simonides.envs.android.tasks.facts import PLACES, Fact, Place, claims_in
from simonides.envs.android.tasks.intents import INTENTS, Draw, IntentName, Work
from simonides.envs.android.tasks.ops import Op, next_act
from simonides.sim.errors import ContractBroken
from simonides.sim.seeds import generator, seed_of
from simonides.sim.types import Plain

MEAN, SPREAD, SHORTEST, LONGEST = 32.0, 13.0, 12, 65
"""Steps of a task: AndroTMem-Bench's mean and most; GUESS: the spread and the least, which it does not tell."""
MOST_APPS = 4
Phase = Literal["reveal", "between", "use"]


@dataclass(frozen=True, slots=True)
class Step:
    """One gold step: the op it serves, whether the op is over with it, and the action."""

    op: int
    done: bool
    act: Act


@dataclass(frozen=True, slots=True)
class Made:
    """A generated task: how the phone is set up, what is to be done, and the gold steps."""

    id: str
    seed: int
    intent: IntentName
    work: Work
    placed: tuple[tuple[Place, Fact, tuple[str, ...]], ...]
    """Where each fact stands, with sentences about other subjects beside it."""
    ops: tuple[Op, ...]
    phases: tuple[Phase, ...]
    """Of each op."""
    instruction: str
    steps: tuple[Step, ...] = ()

    @property
    def truth(self) -> dict[str, str]:
        """Subject -> value of the facts."""
        return {fact.subject: fact.value for fact in self.work.facts}

    @property
    def packages(self) -> tuple[str, ...]:
        """The apps in which something is done, sorted."""
        return tuple(sorted({op.package for op in self.ops if op.package} | set(self.work.packages)))

    def phone(self, reveal: bool = True) -> Phone:
        """Return the phone as the task finds it; without `reveal` its facts are not on it."""
        made = new_phone(self.seed)
        world = World(self.seed)
        for place, fact, beside in self.placed:
            place.put(made, world, fact.topic, " ".join([fact.sentence(reveal), *beside]))
        sql = "INSERT INTO notes (title, body, time) VALUES (?, ?, ?)"
        made.database(notes.PACKAGE).executemany(sql, [(*note, made.time - 30) for note in self.work.notes])
        for setting in self.work.settings:
            made.put_setting(*setting)
        made.refresh()
        return made

    def reached(self, phone: Phone) -> bool:
        """Return whether what is to be done has been done, as the apps' databases and the settings say."""
        return all(check.holds(phone) for check in self.work.checks)


def generate(
    seed: int,
    intent: IntentName | None = None,
    options: int = 6,
    delay: int | None = None,
    distractors: int = 2,
) -> Made:
    """Return a task.

    Phase A looks facts up in one or two apps, phase B does chores that need none, phase C does what the intent wants
    with them. `options` is the number of values that a fact might have, where the app has as many; `delay` the least
    number of steps of phase B, by default as many as bring the task to a drawn length (mean 32, at most 65);
    `distractors` the number of other claims beside each fact. Raises ContractBroken if driving the phone fails.
    """
    rng = generator(seed_of("android task", seed))
    world = World(seed)
    chosen = intent or list(INTENTS)[int(rng.integers(len(INTENTS)))]
    work = INTENTS[chosen](Draw(rng, world, options))
    placed = _placed(rng, work, distractors)
    # Chores come whole, so that a task ends a step or two beyond the length that is drawn.
    length = int(np.clip(round(rng.normal(MEAN - 1.5, SPREAD)), SHORTEST, LONGEST))
    reveal = [op for place, fact, _ in placed for op in place.look_up(world, fact.topic, (fact.subject,))]
    use = [*work.ops, Op("finish", "finish the task", "finish")]
    names = _chores(rng, {*work.packages, *(place.package for place, _, _ in placed)})
    bare = _assembled(seed, chosen, work, placed, reveal, (), use)
    between = _enough(bare, len(use), names, length, delay)
    made = _assembled(seed, chosen, work, placed, reveal, between, use)
    return replace(made, steps=tuple(_driven(made, made.phone(), 0)))


def _enough(bare: Made, last: int, names: Sequence[str], length: int, delay: int | None) -> list[str]:
    """Return the chores that bring a task of `bare` ops (the `last` of them at its end) to a length or delay."""
    phone, chosen, spent = bare.phone(), list[str](), 0
    first = len(_driven(bare, phone, 0, len(bare.ops) - last))
    fixed = first + len(_tried(bare, phone, len(bare.ops) - last))
    while (spent < delay) if delay is not None else (fixed + spent < length):
        name = names[len(chosen) % len(names)]
        before, ops = phone.snapshot(), chore(name)
        more = len(_driven(replace(bare, ops=tuple(ops)), phone, 0, len(ops)))
        if delay is None and fixed + spent + more > LONGEST - 2:
            phone.restore(before)
            break
        chosen, spent = [*chosen, name], spent + more
    return chosen


def _tried(made: Made, phone: Phone, start: int) -> list[Step]:
    """Return the steps from an op on, and leave the phone as it is."""
    before = phone.snapshot()
    steps = _driven(made, phone, start)
    phone.restore(before)
    return steps


def _placed(rng: np.random.Generator, work: Work, distractors: int) -> tuple[tuple[Place, Fact, tuple[str, ...]], ...]:
    """Let each fact stand in an app that the work does not use: nothing is told again when it is needed."""
    free = [place for place in PLACES.values() if place.package not in work.packages]
    apps = some(rng, free, int(rng.integers(1, min(len(work.facts), MOST_APPS - len(work.packages)) + 1)))
    return tuple((apps[i % len(apps)], fact, _beside(rng, fact, distractors)) for i, fact in enumerate(work.facts))


def _beside(rng: np.random.Generator, fact: Fact, count: int) -> tuple[str, ...]:
    """Return claims of the same kind on other subjects."""
    kind = fact.subject.rpartition(fact.topic)[0]
    subjects = [f"{kind}{name}" for name in ("office", "school", "museum", "harbour", "library", "stadium")]
    return tuple(
        Fact(subject, str(rng.choice(fact.options)), fact.options, fact.topic).sentence()
        for subject in some(rng, subjects, min(count, len(subjects)))
    )


def _chores(rng: np.random.Generator, packages: set[str]) -> list[str]:
    """Return chores in a drawn order, in the apps of the task and in others up to four apps."""
    known = {package for package, *_ in CHORES.values()}
    more = some(rng, sorted(known - packages), int(rng.integers(0, MOST_APPS - len(packages) + 1)))
    allowed = packages | set(more)
    return some(rng, [name for name, (package, *_) in CHORES.items() if package in allowed], len(CHORES))


def _assembled(
    seed: int, intent: IntentName, work: Work, placed: tuple[tuple[Place, Fact, tuple[str, ...]], ...],
    reveal: Sequence[Op], between: Sequence[str], use: Sequence[Op],
) -> Made:  # fmt: skip
    parts: list[tuple[Phase, Sequence[Op]]] = [("reveal", reveal)]
    parts += [("between", chore(name)) for name in between]
    parts.append(("use", use))
    ops = tuple(op for _, those in parts for op in those)
    phases = tuple(phase for phase, those in parts for _ in those)
    looks = [f"look into {place.said.format(topic=fact.topic)} for the {fact.subject}" for place, fact, _ in placed]
    says = "; ".join([*looks, *(CHORES[name][1] for name in between), work.says])
    return Made(f"task-{seed}", seed, intent, work, placed, ops, phases, f"{says[0].upper()}{says[1:]}.")


def _driven(made: Made, phone: Phone, start: int, end: int | None = None) -> list[Step]:
    """Drive the phone through the ops from `start` to `end`, knowing the facts, and return what was done."""
    truth, steps = made.truth, list[Step]()
    for number, op in enumerate(made.ops[start:end], start):
        if op.sees:
            _seen(made, op, phone)
        while (following := next_act(op, phone, truth)) is not None:
            steps.append(Step(number, following.done, following.act))
            perform(phone, following.act)
            if following.done:
                break
            if steps[-1].act == WAIT and steps[-2:-1] == steps[-1:]:
                raise ContractBroken(f"{made.id}: {op} is never done.")
    if end is None and not made.reached(phone):
        raise ContractBroken(f"{made.id} ({made.intent}): the gold actions do not reach the goal.")
    return steps


def _seen(made: Made, op: Op, phone: Phone) -> None:
    said = claims_in(texts(phone))
    missing = [fact.subject for fact in made.work.facts if fact.subject in op.sees and fact.sentence() not in said]
    if missing:
        raise ContractBroken(f"{made.id}: the screen does not show the {missing[0]}; it says {texts(phone)}.")


def replayed(made: Made) -> Phone:
    """Return the phone after the gold actions, done anew from the seed by their boxes alone."""
    phone = made.phone()
    for step in made.steps:
        perform(phone, step.act)
    return phone


def links_of(made: Made) -> dict[int, list[dict[str, Plain]]]:
    """Return step -> links to what it rests on, with AndroTMem's relations.

    Critical: what a fact decides rests on the step that saw it, a lasting change on what was decided before it, the end
    on the lasting changes. An exception blocks the next decision until the changes that result of it are made; both are
    critical. Not critical: each chore, and the first decision, on the chore before.
    """
    ends = {step.op: i for i, step in enumerate(made.steps) if step.done}
    starts = {step.op: i for i, step in reversed(list(enumerate(made.steps)))}
    seen = {subject: starts[n] for n, op in enumerate(made.ops) for subject in op.sees if n in starts}
    links: dict[int, list[dict[str, Plain]]] = {}
    open_: list[int] = []
    changes: list[int] = []
    met: list[int] = []
    cleared: list[int] = []
    before = -1
    for number, op in enumerate(made.ops):
        if number not in ends or not op.kind:
            continue
        here = links.setdefault(ends[number], [])
        subjects = [op.fact] if op.fact else list(op.plan or ()) if op.do == "compute" else []
        here += [_link(seen[subject], "result_of", True) for subject in subjects]
        if op.kind == "exception":
            met, cleared = [*met, ends[number]], []
        elif op.kind == "state_change" and met and not op.fact:
            here += [_link(source, "result_of", True) for source in met]
            changes, cleared = [*changes, ends[number]], [*cleared, ends[number]]
        elif met and subjects:
            here += [_link(source, "blocks", True) for source in met]
            here += [_link(source, "prerequisite", True) for source in cleared]
            met, open_ = [], [*open_, ends[number]]
        elif op.kind == "state_change":
            here += [_link(source, "prerequisite", True) for source in open_]
            changes, open_ = [*changes, ends[number]], []
        elif subjects:
            open_.append(ends[number])
        elif op.kind == "subgoal" and before >= 0:
            here.append(_link(before, "enables", False))
        elif op.kind == "finish":
            here += [_link(source, "result_of", True) for source in changes]
        before = ends[number]
    return links


def _link(source: int, relation: str, critical: bool) -> dict[str, Plain]:
    return {"source": source, "is_critical": critical, "relation": relation}


def required(links: Mapping[int, Sequence[Mapping[str, Plain]]], final: int) -> set[int]:
    """Return the steps that the final one rests on over critical links, itself included."""
    found, open_ = set[int](), [final]
    while open_:
        step = open_.pop()
        if step not in found:
            found.add(step)
            open_ += [int(str(link["source"])) for link in links.get(step, ()) if link["is_critical"]]
    return found


def task_line(made: Made) -> dict[str, Plain]:
    """Return the task as AndroTMem-Bench writes one, a line of `tasks.jsonl`."""
    links = links_of(made)
    steps: list[Plain] = []
    for i, step in enumerate(made.steps):
        op = made.ops[step.op]
        anchored = bool(op.kind) and (step.done or bool(op.sees))
        status: list[Plain] = []
        if anchored:
            words = f"[{op.kind}] {op.says}"
            status.append({"id": f"{made.id}-a{i}", "content": words, "content_en": words})
        here: list[Plain] = list(links.get(i, ()))
        steps.append({
            "step_index": i, "image_name": f"{made.id}_{i}.png", "actionForm": step.act.form(),
            "extra_info": {"status": status}, "links": here,
        })  # fmt: skip
    apps: list[Plain] = list(made.packages)
    return {
        "task_id": made.id, "instruction": made.instruction, "instruction_en": made.instruction,
        "primary_intent": made.intent, "apps": apps, "steps": steps,
    }  # fmt: skip
