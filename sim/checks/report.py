"""What a check is, what it found, and how that is told to somebody who wrote a part and not this package."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simonides.sim.types import Plain


class Unmet(Exception):
    """A check that failed: what was expected, what was found, what to do."""

    def __init__(self, expected: str, found: str, advice: str) -> None:
        super().__init__(f"expected: {expected}\nfound: {found}\nto do: {advice}")
        self.expected, self.found, self.advice = expected, found, advice


class NotApplicable(Exception):
    """A check of something that the part does not claim to do; the text says why."""


def demand(holds: bool, expected: str, found: object, advice: str) -> None:
    """Raise Unmet unless the condition holds."""
    if not holds:
        raise Unmet(expected, str(found), advice)


@dataclass(frozen=True, slots=True)
class Subject:
    """The part under check: its name, and how to make a fresh one.

    `make(**params)` builds one with the parameters of the check run, `params`, overridden by those given. `target` is
    the name under which another process can build it; "" for a class that was handed over.
    """

    name: str
    make: Callable[..., Any]
    params: Mapping[str, Plain] = field(default_factory=dict)
    target: str = ""
    part: Any = None
    """The class or factory itself."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold. `name` is short ("U6", "a"), `title` a sentence; `run` raises Unmet."""

    name: str
    title: str
    run: Callable[[Subject], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `message` is empty when it passed."""

    check: str
    passed: bool
    message: str = ""
    title: str = ""
    applies: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """All findings on one part. `kind` is "Memory", "Environment" or "Defence"."""

    kind: str
    name: str
    params: dict[str, Plain]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """True when every check passed."""
        return all(finding.passed for finding in self.findings)


def render(report: Report) -> str:
    """Return a report as text: a line a check, and for each that failed what to do about it."""
    wanted = "".join(f" {key}={value}" for key, value in sorted(report.params.items()))
    lines = [f"{report.kind} {report.name}{wanted}", ""]
    width = max((len(finding.check) for finding in report.findings), default=0)
    for finding in report.findings:
        mark = "FAIL" if not finding.passed else "ok  " if finding.applies else "n/a "
        lines.append(f"  {mark}  {finding.check.ljust(width)}  {finding.title}")
        if finding.message:
            lines += [textwrap.indent(finding.message, " " * (width + 10))]
    failed = sum(not finding.passed for finding in report.findings)
    total = sum(finding.applies for finding in report.findings)
    lines += ["", f"{total - failed} of {total} checks passed." + (f" {failed} failed." if failed else "")]
    return "\n".join(lines)
