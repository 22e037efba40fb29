"""Stand-ins for an embedder and a model, so that checks are exact and need neither files nor network."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from simonides.sim.errors import ContractBroken
from simonides.sim.types import Completion, FloatArray, ModelCard, Plain, Request

MARK = re.compile(r"mark[0-9a-f]{6}")
"""A word that stands in one experience's text and nowhere else, so that its way through a memory can be followed."""

Fault = Literal["empty", "prose", "wrong ids", "too few", "too many"]
FAULTS: tuple[Fault, ...] = ("empty", "prose", "wrong ids", "too few", "too many")


def mark_of(number: int) -> str:
    """Return the mark of the n-th experience of a script."""
    return f"mark{number:06x}"


class HashedWords:
    """Embeds a text as the unit vector of its hashed words; `known` gives chosen texts chosen vectors."""

    identity = "checks/hashed-words/1"

    def __init__(self, dimension: int = 64, known: Mapping[str, Sequence[float]] | None = None) -> None:
        self.dimension = dimension
        self.known = known or {}

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Return float32[n, dimension]."""
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, self.dimension), np.float32)

    def _vector(self, text: str) -> FloatArray:
        vector = np.zeros(self.dimension, np.float32)
        if text in self.known:
            vector[: len(self.known[text])] = self.known[text]
        else:
            for word in re.findall(r"\w+", text.lower()):
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                vector[int.from_bytes(digest[:4], "big") % self.dimension] += 1.0 if digest[4] & 1 else -1.0
        length = float(np.sqrt((vector**2).sum()))
        return (vector / np.float32(length)).astype(np.float32) if length else vector


@dataclass(slots=True)
class Reply:
    """One scripted answer: to the next question of this purpose whose inputs contain `match`."""

    purpose: str
    reply: Plain
    match: str = ""


@dataclass(slots=True)
class ScriptedReplies:
    """A model that answers from a script: the first unused reply that fits. Running out is an error.

    A reply that is a string is sent as it is (and may be malformed); anything else as JSON. `asked` is every request.
    """

    replies: list[Reply] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    card: ClassVar[ModelCard] = ModelCard("stand-in", pure=True)

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        """Return one completion a request, in order. Raises ContractBroken when the script has none left."""
        return [self._answer(request) for request in requests]

    async def close(self) -> None:
        """Nothing was started."""

    def _answer(self, request: Request) -> Completion:
        self.asked.append(request)
        inputs = _text(request.inputs)
        for reply in self.replies:
            if reply.purpose == request.purpose and reply.match in inputs:
                self.replies.remove(reply)
                return Completion(reply.reply if isinstance(reply.reply, str) else json.dumps(reply.reply))
        raise ContractBroken(f"The script has no reply left for {request.purpose}, asked with {inputs[:200]}.")

    def count(self, purpose: str) -> int:
        """Return how often a purpose was asked."""
        return sum(request.purpose == purpose for request in self.asked)


@dataclass(slots=True)
class SchemaReplies:
    """A model that answers any question with a reply that fits its schema, or is wrong in one way (`fault`).

    Texts quote the marks that stand in the inputs, as a model quotes what it is shown. Numbers lie at the upper end of
    their range, so that thresholds are reached.
    """

    fault: Fault | None = None
    asked: list[Request] = field(default_factory=list)

    card: ClassVar[ModelCard] = ModelCard("stand-in", pure=True)

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        """Return one completion a request, in order."""
        return [self._answer(request) for request in requests]

    async def close(self) -> None:
        """Nothing was started."""

    def _answer(self, request: Request) -> Completion:
        self.asked.append(request)
        if self.fault == "empty":
            return Completion("")
        if self.fault == "prose" or request.schema is None:
            return Completion("Certainly! Here is what you asked for: {")
        writer = _Writer(request.schema, _text(request.inputs), self.fault)
        return Completion(json.dumps(writer.value(request.schema)))


def _text(inputs: Mapping[str, Plain]) -> str:
    return json.dumps(inputs, sort_keys=True, default=str)


class _Writer:
    """Writes one value that fits a JSON schema, the same for the same inputs."""

    def __init__(self, schema: Mapping[str, Plain], inputs: str, fault: Fault | None) -> None:
        self._definitions = schema.get("$defs", {})
        self._marks = " ".join(sorted(set(MARK.findall(inputs))))
        self._digest = hashlib.blake2b(inputs.encode(), digest_size=4).hexdigest()
        self._fault = fault
        self._turn = 0

    def value(self, schema: Mapping[str, Plain]) -> Plain:
        """Return a value of this schema: the first of alternatives, every property, a few items."""
        if "$ref" in schema:
            return self.value(self._definitions[str(schema["$ref"]).rsplit("/", 1)[-1]])
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                return self.value(schema[key][0])
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        kind = schema.get("type", "string")
        self._turn += 1
        if kind == "object":
            return {name: self.value(item) for name, item in schema.get("properties", {}).items()}
        if kind == "array":
            return [self.value(schema.get("items", {})) for _ in range(self._length(schema))]
        return self._single(str(kind), schema)

    def _length(self, schema: Mapping[str, Plain]) -> int:
        low, high = int(schema.get("minItems", 0)), int(schema.get("maxItems", 50))
        wanted = {"too few": 0, "too many": 50}.get(self._fault or "", 2)
        return min(max(wanted, low), high)

    def _single(self, kind: str, schema: Mapping[str, Plain]) -> Plain:
        if kind == "integer":
            return self._number(schema, 0, 1)
        if kind == "number":
            return float(self._number(schema, 0.0, 1.0))
        if kind in ("boolean", "null"):
            return True if kind == "boolean" else None
        text = f"reply {self._digest}-{self._turn} {self._marks}".strip()
        return text[: int(schema.get("maxLength", len(text)))]

    def _number(self, schema: Mapping[str, Plain], low: float, high: float) -> float:
        least = schema.get("minimum", schema.get("exclusiveMinimum", low))
        most = schema.get("maximum", schema.get("exclusiveMaximum", high))
        if self._fault == "wrong ids" and "maximum" not in schema and "exclusiveMaximum" not in schema:
            return 1_000_000
        bounded = "maximum" in schema and "minimum" in schema
        return max(least, most - self._turn % 3) if bounded else min(least + self._turn % 2, most)  # type: ignore[no-any-return]
