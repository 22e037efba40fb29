"""Say in words which form a reply must have: the keys and types of a JSON schema, choices, a regular expression."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from simonides.sim.types import Plain, Request

DEEPEST = 8
"""Levels of a schema that are spelled out; a schema that names itself would have no end."""


def form_of(request: Request) -> tuple[str, bool]:
    """Return what the reply must look like ("" when anything will do), and whether that lasts.

    It lasts when it is the same from one question of a purpose to the next: when it lists no values of the moment.
    Values that an input lists (`actions`) are named after it, instead of being listed twice.
    """
    form = _Form(request)
    if request.schema is not None:
        told = f"Reply with one JSON value of this form and nothing else:\n{form.of(request.schema)}"
    elif request.choices:
        told = f"Reply with exactly {form.one_of(request.choices)} and nothing else."
    elif request.regex:
        told = f"Reply with a text that this regular expression matches as a whole, and nothing else: {request.regex}"
    else:
        told = ""
    return told, not form.listed_values


class _Form:
    """A JSON schema as an example of the value, with types in place of values, in one line."""

    def __init__(self, request: Request) -> None:
        self._defs: Mapping[str, Plain] = (request.schema or {}).get("$defs", {})
        lists = ((name, one) for name, one in request.inputs.items() if isinstance(one, list | tuple))
        self._inputs = {tuple(map(_quoted, one)): name for name, one in lists}
        self.listed_values = False

    def one_of(self, values: Sequence[Plain]) -> str:
        quoted = tuple(map(_quoted, values))
        if quoted in self._inputs:
            return f"one of the {self._inputs[quoted]} listed"
        self.listed_values = True
        return f"one of {', '.join(quoted)}" if len(quoted) > 1 else quoted[0]

    def of(self, schema: Any, depth: int = 0) -> str:
        if not isinstance(schema, Mapping) or depth > DEEPEST:
            return "<any value>"
        if "$ref" in schema:
            return self.of(self._defs.get(str(schema["$ref"]).rsplit("/", 1)[-1]), depth + 1)
        if "enum" in schema or "const" in schema:
            return f"<{self.one_of(schema.get('enum', [schema.get('const')]))}>"
        for several in ("anyOf", "oneOf", "type"):
            if isinstance(schema.get(several), list | tuple):
                kinds = [{**schema, "type": one} if several == "type" else one for one in schema[several]]
                return " or ".join(self.of(one, depth + 1) for one in kinds)
        return self._plain(schema, depth)

    def _plain(self, schema: Mapping[str, Plain], depth: int) -> str:
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self._object(schema, depth)
        if "prefixItems" in schema:
            return f"[{', '.join(self.of(one, depth + 1) for one in schema['prefixItems'])}]"
        if kind == "array":
            items, many = self.of(schema.get("items", True), depth + 1), _range(schema, "minItems", "maxItems")
            return f"[{items}, ...]" + (f" ({many} items)" if many else "")
        if kind in ("integer", "number"):
            return f"<{kind} {_range(schema, 'minimum', 'maximum')}".rstrip() + ">"
        known = {"string": "<text>", "boolean": "<true or false>", "null": "null"}
        return known.get(str(kind), "<any value>")

    def _object(self, schema: Mapping[str, Plain], depth: int) -> str:
        properties = schema.get("properties", {})
        if not properties:
            return "{<name>: <value>, ...}"
        required = schema.get("required", ())
        parts = [
            f"{_quoted(name)}: {self.of(one, depth + 1)}{'' if name in required else ' (may be left out)'}"
            for name, one in properties.items()
        ]
        return "{" + ", ".join(parts) + "}"


def _range(schema: Mapping[str, Plain], least: str, most: str) -> str:
    """Return the bounds of a number or of a length in words, or "" when it has none."""
    low, high = schema.get(least), schema.get(most)
    if low is not None and low == high:
        return f"{low}"
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return f"from {low}" if low is not None else f"up to {high}" if high is not None else ""


def _quoted(value: Plain) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
