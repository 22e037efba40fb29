"""Requests as the JSON bodies of OpenAI-compatible servers, and their answers as completions. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from simonides.sim.context import count_tokens
from simonides.sim.errors import ModelFailed
from simonides.sim.types import Completion, Plain, Request, TokenScore

Structured = Literal["openai", "vllm", "guided", "none"]
"""How a server is told the form of a reply: `response_format` with a JSON schema (OpenAI, llama.cpp and others), vLLM's
`structured_outputs`, the `guided_*` fields of vLLM before 0.12, or not at all."""

ENFORCED: Mapping[str, frozenset[str]] = {
    "openai": frozenset({"json"}),
    "vllm": frozenset({"json", "choice", "regex"}),
    "guided": frozenset({"json", "choice", "regex"}),
    "none": frozenset(),
}
"""What a server enforces of the three kinds of structured output, by how it is told."""

SEED_BITS = 31
"""Bits of a seed that are sent: some servers read a signed 32-bit number, and take the highest ones for "random"."""

_NOT_STRICT = frozenset({"default", "minLength", "maxLength"})
"""Keywords that OpenAI's strict schemas refuse; who asked checks the reply against the whole schema."""


def path_of(request: Request) -> str:
    """Return the endpoint below the API's URL. Raises ModelFailed for a request without text."""
    if request.messages:
        return "/chat/completions"
    if request.prompt:
        return "/completions"
    raise ModelFailed(
        f"{request.purpose}: the request has neither messages nor a prompt; a model that is asked by URL reads text."
    )


def body_of(request: Request, model: str, structured: Structured, limit: str) -> dict[str, Plain]:
    """Return the JSON body of one request; `limit` is the field for the most tokens of a chat's reply."""
    chat = bool(request.messages)
    body: dict[str, Plain] = {
        "model": model,
        limit if chat else "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed & ((1 << SEED_BITS) - 1),
    }
    if chat:
        body["messages"] = [{"role": m.role, "content": m.content} for m in request.messages]
    else:
        body["prompt"] = request.prompt
    if request.stop:
        body["stop"] = list(request.stop)
    if request.logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": request.logprobs} if chat else {"logprobs": request.logprobs}
    if request.prompt_logprobs:
        body["prompt_logprobs"] = 0
    return body | _binding(request, structured)


def _binding(request: Request, structured: Structured) -> dict[str, Plain]:
    """Return the fields that bind the reply, of what this kind of server enforces."""
    kind, value = next(
        (
            (kind, value)
            for kind, value in (
                ("json", request.schema),
                ("choice", list(request.choices)),
                ("regex", request.regex),
            )
            if value and kind in ENFORCED[structured]
        ),
        ("", None),
    )
    if not kind:
        return {}
    if structured == "vllm":
        return {"structured_outputs": {kind: value}}
    if structured == "guided":
        return {f"guided_{kind}": value}
    schema = {"name": _name(request.purpose), "strict": True, "schema": strict(request.schema)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _name(purpose: str) -> str:
    """Return a schema's name of the letters that servers allow, at most 64."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "-") else "_" for c in purpose)[:64] or "reply"


def strict(schema: Plain) -> Plain:
    """Return a JSON schema in OpenAI's strict form: objects are closed, and all their properties required.

    Whatever fits it fits the schema it was made from, but for the keywords in `_NOT_STRICT`.
    """
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _NOT_STRICT}
    found = {key: _maps(value) if key in ("properties", "$defs") else strict(value) for key, value in kept.items()}
    if isinstance(found.get("properties"), dict):
        found |= {"required": list(found["properties"]), "additionalProperties": False}
    return found


def _maps(named: Plain) -> Plain:
    """Return a map of names to schemas; a name is never a keyword."""
    return {name: strict(schema) for name, schema in named.items()} if isinstance(named, Mapping) else named


def completion_of(answer: Mapping[str, Plain], request: Request, asked: str) -> Completion:
    """Return the completion in a server's answer. Raises ModelFailed, naming what is missing.

    Servers that do not count tokens are counted for, by the platform's rule of thumb.
    """
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise _lacks("choices[0]", answer, asked)
    choice = choices[0]
    text = _text(choice, bool(request.messages), asked)
    usage = answer.get("usage") if isinstance(answer.get("usage"), Mapping) else {}
    scores, prompt_scores = _scores(choice, answer, request, asked)
    return Completion(
        text,
        _count(usage, "prompt_tokens", "".join([request.prompt, *(m.content for m in request.messages)])),
        _count(usage, "completion_tokens", text),
        "length" if choice.get("finish_reason") == "length" else "stop",
        0,
        scores,
        prompt_scores,
    )


def _text(choice: Mapping[str, Plain], chat: bool, asked: str) -> str:
    """Return the reply; a refusal in words is one too, and a reply cut before its first word is empty."""
    if not chat:
        if not isinstance(choice.get("text"), str):
            raise _lacks("choices[0].text", choice, asked)
        return str(choice["text"])
    message = choice.get("message")
    if not isinstance(message, Mapping) or not isinstance(message.get("content", 0), str | None):
        raise _lacks("choices[0].message.content", choice, asked)
    return str(message["content"] or message.get("refusal") or "")


def _count(usage: Plain, key: str, text: str) -> int:
    found = usage.get(key)
    return found if isinstance(found, int) and found >= 0 else count_tokens(text)


def _scores(
    choice: Mapping[str, Plain], answer: Mapping[str, Plain], request: Request, asked: str
) -> tuple[tuple[TokenScore, ...], tuple[TokenScore, ...]]:
    try:
        scores = () if request.logprobs is None else _reply_scores(choice["logprobs"], request)
        where = choice if "prompt_logprobs" in choice else answer
        prompt_scores = _prompt_scores(where["prompt_logprobs"]) if request.prompt_logprobs else ()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise ModelFailed(
            f"{asked}: the answer to {request.purpose} lacks the log-probabilities that were asked for; say logprobs: "
            "-1 and prompt_logprobs: false for a server that gives none."
        ) from None
    return scores, prompt_scores


def _reply_scores(found: Plain, request: Request) -> tuple[TokenScore, ...]:
    if request.messages:
        return tuple(_score(item["token"], item["logprob"], _chat_top(item)) for item in found["content"])
    tops = found.get("top_logprobs") or [{}] * len(found["tokens"])
    rows = zip(found["tokens"], found["token_logprobs"], tops, strict=True)
    return tuple(_score(token, logprob, top or {}) for token, logprob, top in rows)


def _chat_top(item: Mapping[str, Plain]) -> dict[str, float]:
    return {top["token"]: top["logprob"] for top in item.get("top_logprobs") or ()}


def _score(token: str, logprob: float, top: Mapping[str, float]) -> TokenScore:
    top = {str(name): float(value) for name, value in top.items()}
    return TokenScore(str(token), float(logprob), top and {str(token): float(logprob), **top})


def _prompt_scores(found: Sequence[Plain]) -> tuple[TokenScore, ...]:
    """Return the scores of a prompt's tokens: vLLM gives a map by token id each, its own token first; None at first."""
    own = [next(iter(item.values())) for item in found if item]
    return tuple(TokenScore(str(item.get("decoded_token") or ""), float(item["logprob"])) for item in own)


def _lacks(what: str, found: Mapping[str, Plain], asked: str) -> ModelFailed:
    return ModelFailed(
        f"{asked}: the answer has no {what} (found {', '.join(sorted(map(str, found))) or 'nothing'}); is this an "
        "OpenAI-compatible server?"
    )
