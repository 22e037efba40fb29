"""What a run's manifest says: its study's hash, versions, wording of questions, and where it was forked from."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import simonides.sim
from simonides.sim.config import Layout, Part, Study
from simonides.sim.registry import registry


def manifest_of(
    study: Study, sha256: str, layout: Layout, cache: Path, parent: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the manifest of a new run. Raises UserError for prompts that cannot be read."""
    trials = [trial.id for trial in study.trials()]
    return {
        "study": study.name,
        "study_sha256": sha256,
        "seeds": list(range(study.seeds)) if isinstance(study.seeds, int) else list(study.seeds),
        "trials": trials,
        "layout": layout.model_dump(mode="json"),
        "cache": str(cache),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": _versions(),
        "prompts": _prompts(study),
        "commit": _commit(),
        **({"parent": dict(parent)} if parent is not None else {}),
    }


def _prompts(study: Study) -> list[dict[str, Any]]:
    """Return each way in which the study words its questions, with the sha256 of the wording of every purpose.

    Purposes are those that memories and policies declare. Raises UserError for prompts that cannot be read.
    """
    asked: dict[str, set[str]] = {}
    for trial in study.trials():
        one = trial.study
        if one.model is not None:
            card = getattr(registry("memory").load(one.memory.name), "card", None)
            declared = getattr(registry("policy").load(one.policy.name), "purposes", ())
            asked.setdefault(one.prompts.model_dump_json(), set()).update(card.needs_model if card else (), declared)
    found = []
    for text, purposes in asked.items():
        part = Part.model_validate_json(text)
        prompts = registry("prompts").build(part.name, part.params, path="prompts")
        found.append({**part.model_dump(), "purposes": {name: prompts.version(name) for name in sorted(purposes)}})
    return found


def _versions() -> dict[str, str]:
    found = {}
    try:
        wanted = requires("simonides") or []
    except PackageNotFoundError:
        wanted = []
    names = [re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in wanted if "extra ==" not in line]
    for name in ["simonides", *sorted(names)]:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str | None:
    """Return the commit of the checkout that this package runs from, "+changes" added; None outside a checkout."""
    source = Path(simonides.sim.__file__)

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(source.parent), *words], capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    if git("ls-files", "--error-unmatch", source.name) is None:
        return None
    return f"{git('rev-parse', 'HEAD')}{'+changes' if git('diff', 'HEAD', '--stat') else ''}"
