"""Put another policy into a study: parameters that only the old one has are varied no more, as far as that has a sense.

So that a study written for a scripted victim runs with a model by `policy=prompted model=NAME`: a factor such as
`policy.rho` is an assumption of the rule, and a model brings its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simonides.sim.errors import StudyError
from simonides.sim.registry import registry

PATH = "policy."


def replaced(fields: dict[str, Any], before: str) -> dict[str, Any]:
    """Return a study's fields without what they vary of the policy `before` and the new policy does not have.

    A factor that is such a parameter falls away, and one that sets nothing else at any of its levels; from other named
    levels what they set of it does. The description says so.
    Raises StudyError where levels would then be the same: what the study compares has no meaning for the new policy.
    """
    policy = name_of(fields.get("policy"))
    if not policy or policy == before:
        return fields
    lost: set[str] = set()
    factors = {}
    for name, levels in (fields.get("factors") or {}).items():
        if _foreign(policy, name, lost):
            continue
        if isinstance(levels, Mapping) and all(sets and _all_foreign(policy, sets) for sets in levels.values()):
            lost.add(name)
        else:
            factors[name] = _kept(policy, name, levels, lost) if isinstance(levels, Mapping) else levels
    if not lost:
        return fields
    told = f"With {policy} for {before}: {', '.join(sorted(lost))} not varied, for it has no such parameter."
    description = f"{str(fields.get('description', '')).strip()} {told}".strip()
    return {**fields, "factors": factors, "description": description, "primary": _primary(fields, lost)}


def name_of(part: Any) -> str:
    """Return the name of a part as a study gives it: a name, or a map with one; "" for anything else."""
    return part if isinstance(part, str) else str(part.get("name", "")) if isinstance(part, Mapping) else ""


def _foreign(policy: str, path: str, lost: set[str]) -> bool:
    """Return True for a path of a parameter that the policy lacks, and note it."""
    foreign = path.startswith(PATH) and not registry("policy").takes(policy, path.removeprefix(PATH).split(".")[0])
    lost |= {path} if foreign else set()
    return foreign


def _all_foreign(policy: str, sets: Mapping[str, Any]) -> bool:
    return all(_foreign(policy, path, set()) for path in sets)


def _kept(policy: str, name: str, levels: Mapping[str, Any], lost: set[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for level, sets in levels.items():
        fields = {path: value for path, value in sets.items() if not _foreign(policy, path, lost)}
        twin = next((other for other, one in kept.items() if one == fields), None)
        if twin is not None and fields != sets:
            raise StudyError(
                f"factors.{name}: {policy} has no parameter {sorted(set(sets) - set(fields))[0].removeprefix(PATH)!r}, "
                f"and without it {twin!r} and {level!r} are the same; this study needs the policy that it names."
            )
        kept[level] = fields
    return kept


def _primary(fields: Mapping[str, Any], lost: set[str]) -> Any:
    """Return the declared outcome without the levels of factors that fell away; None when it compared one of these."""
    declared = fields.get("primary")
    if not isinstance(declared, Mapping):
        return declared
    if declared.get("factor") in lost:
        return None
    return {**declared, "at": {path: level for path, level in (declared.get("at") or {}).items() if path not in lost}}
