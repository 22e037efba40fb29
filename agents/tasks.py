"""What is due at a tick: a question to answer, one of the legal actions, or an action that a schema describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator, SchemaError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from simonides.sim.errors import ContractBroken
from simonides.sim.render import legal_actions, situation_of
from simonides.sim.types import Observation, Plain

STRICT = ConfigDict(extra="forbid", strict=True)

Text = Annotated[str, Field(min_length=1)]


class Recalling(BaseModel):
    """A step that looks for more memories."""

    model_config = STRICT
    recall: Text


@dataclass(frozen=True, slots=True)
class Task:
    """What is due: `field` is the key of the reply that holds it, `kind` its type, `inputs` what tells it in words."""

    field: Literal["answer", "action"]
    kind: Any
    inputs: Mapping[str, Plain]
    legal: Mapping[str, Plain] | None = None
    noop: tuple[Plain, ...] = ()
    """The action that does nothing, where the environment names one."""

    @property
    def reply(self) -> type[BaseModel]:
        """The schema of a reply that does it at once: {"answer": ...} or {"action": ...}."""
        return _direct(self.field, self.kind)

    def step(self, recalling: bool) -> type[BaseModel]:
        """Return the schema of a step: a thought, and then to do it or, if `recalling`, to look for more memories."""
        return _step(self.field, self.kind, recalling)

    def told(self, **more: Plain) -> dict[str, Plain]:
        """Return the inputs of a question about this task, what changes slowly first."""
        return {**more, **self.inputs}

    def value(self, said: Plain) -> Plain:
        """Return the environment's value of what the model said."""
        return self.legal[said] if self.legal is not None else said

    def text(self, said: Plain) -> str:
        """Return what the model said, as words."""
        return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, sort_keys=True)


def task_of(observation: Observation) -> Task | None:
    """Return what is due, or None when nothing is.

    Actions are listed in `info["legal_actions"]`, or described by the JSON schema `info["action_schema"]`;
    `info["noop"]` is the action that does nothing. Questions have `info["phase"]` "question". Nothing is due where
    `info["to_move"]` is False. Raises ContractBroken for a list or a schema that cannot be used.
    """
    info = observation.info
    if info.get("to_move") is False:
        return None
    if info.get("legal_actions"):
        legal = legal_actions(info)
        inputs = {"situation": situation_of(observation), "actions": list(legal)}
        return Task("action", Literal[tuple(legal)], inputs, legal, _noop(info, legal))
    if info.get("action_schema"):
        kind = _fitting(json.dumps(info["action_schema"], sort_keys=True))
        return Task("action", kind, {"situation": situation_of(observation)}, None, _noop(info, {}))
    if info.get("phase") == "question" and observation.text:
        return Task("answer", Text, {"question": observation.text})
    return None


def _noop(info: Mapping[str, Plain], legal: Mapping[str, Plain]) -> tuple[Plain, ...]:
    return (info["noop"],) if "noop" in info else (legal["noop"],) if "noop" in legal else ()


@lru_cache(maxsize=256)
def _direct(field: str, kind: Any) -> type[BaseModel]:
    fields: Any = {field: (kind, ...)}
    return create_model("Reply", __config__=STRICT, **fields)


@lru_cache(maxsize=256)
def _step(field: str, kind: Any, recalling: bool) -> type[BaseModel]:
    # A union within an object, never at the top: servers that enforce schemas want an object there.
    do = Recalling | _direct(field, kind) if recalling else _direct(field, kind)
    fields: Any = {"thought": (str, ...), "do": (do, ...)}
    return create_model("Step", __config__=STRICT, **fields)


@lru_cache(maxsize=256)
def _fitting(text: str) -> Any:
    """Return the type of values that fit a JSON schema. Raises ContractBroken when it is none."""
    schema = json.loads(text)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ContractBroken(f"info['action_schema'] is no JSON schema: {error.message}.") from None
    validator, inlined = Draft202012Validator(schema), _inlined(schema, schema.get("$defs", {}), 0)

    def fits(value: Any) -> Any:
        error = next(iter(validator.iter_errors(value)), None)
        if error is not None:
            raise ValueError(error.message)
        return value

    return Annotated[Any, AfterValidator(fits), WithJsonSchema(inlined)]


DEEPEST = 32
"""Levels of `$ref` in an action's schema."""


def _inlined(value: Any, defs: Mapping[str, Any], depth: int) -> Any:
    """Return a schema without `$ref`, since it becomes a part of a larger one."""
    if depth > DEEPEST:
        raise ContractBroken("info['action_schema'] refers to itself; give one that ends.")
    if isinstance(value, list):
        return [_inlined(one, defs, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        name = str(value["$ref"]).rsplit("/", 1)[-1]
        if name not in defs:
            raise ContractBroken(f"info['action_schema'] refers to {value['$ref']!r}, which is not in its $defs.")
        return _inlined(defs[name], defs, depth + 1)
    return {key: _inlined(one, defs, depth + 1) for key, one in value.items() if key != "$defs"}
