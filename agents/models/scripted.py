"""Answer every named question by a fixed rule, so that runs that need a model are exact, fast and free.

A stand-in, not a language model: replies are pure functions of the request's inputs, cut out of the texts given (see
`extracts`). Use it to exercise mechanisms; draw no conclusion about a mechanism's quality from it.

| purpose | inputs | reply |
|---|---|---|
| sum.update | summary, turns | {"text"}: most salient sentences of both |
| ga.importance | text | {"importance": 1..10} by surface features, see `_importance` |
| ga.questions | statements | {"questions": [3 texts]} about the three most frequent names or words |
| ga.insights | statements | {"insights": [{"text", "evidence"}]}, at most 5; evidence counts statements from 0 |
| mb.day_summary | turns | {"text"}: most salient sentences |
| mb.overall_summary | days | the same |
| mb.day_personality | turns | {"text"}: sentences in the first person first |
| mb.overall_personality | days | the same |
| reader.answer | question, context | {"answer"}: the sentence of the context that shares most with the question |
| policy.action | situation, context, actions | {"action"}: the action that shares most with situation and context |
| reader.react | the same, steps, recalls | {"thought", "do"}: recalls its most frequent word once, then answers |
| policy.react | the same, steps, recalls | {"thought", "do"}: recalls its most frequent word once, then acts |
| reader.order | labels | the first label |
| judge.answer | truth, answer | "correct", "partly", "wrong": all, some, none of the truth's words are in the answer |

Where a named input is absent, the texts of all inputs are taken in the order of their sorted keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from simonides.agents.models import extracts
from simonides.sim.errors import UserError, near
from simonides.sim.types import Completion, ModelCard, Plain, Request

Rule = Callable[[Request], Plain]
"""From a request to its reply: plain data that is sent as JSON, or a text that is sent as it is."""

NO_ANSWER = "No information available"
"""The wording that LoCoMo's scoring accepts for a question without an answer."""

SUMMARY_WORDS = 80
INSIGHTS = 5
QUESTIONS = 3

EVENTS = frozenset(
    """
    accident adopted baby birthday bought born broke changed decided died divorced engaged failed fired graduated
    hired hospital job lost married moved promoted quit retired sick sold started stopped wedding won
    """.split()
)
"""Words of life events, which raise the importance that the scripted model gives to a text."""

FIRST_PERSON = frozenset({"i", "me", "my", "mine", "we", "our"})


class ScriptedModel:
    """A model that answers by rules, one a purpose; `rules` replace or add some, for tests and for adversaries.

    `replies` do the same as data, so that a study can give them: the reply to every question of a purpose, a text that
    is sent as it is, or plain data that is sent as JSON. `choices` and `regex` of a request bind the reply.
    Tokens are counted as words between white space: of all texts in the inputs, and of the reply.

        model: {name: scripted, replies: {reader.answer: {answer: Nobody knows.}}}

        reply, = await ScriptedModel().complete([Request("ga.importance", {"text": "We moved to Porto in 2021."})])
        reply.text  # '{"importance": 8}'
    """

    card = ModelCard("scripted", structured=frozenset({"json", "choice", "regex"}), pure=True)

    def __init__(self, rules: Mapping[str, Rule] | None = None, replies: Mapping[str, Plain] | None = None) -> None:
        """Raises UserError for a purpose that has both a rule and a reply."""
        if both := sorted(set(rules or ()) & set(replies or ())):
            raise UserError(f"model.replies: {both[0]!r} has a rule as well; give one of them.")
        fixed = {purpose: _always(reply) for purpose, reply in (replies or {}).items()}
        self._rules = {**RULES, **(rules or {}), **fixed}

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order.

        Raises UserError for a purpose that has no rule, and where nothing that it knows fits the request's `regex`.
        """
        return [self._answer(request) for request in requests]

    async def close(self) -> None:
        """Nothing was started."""

    def _answer(self, request: Request) -> Completion:
        rule = self._rules.get(request.purpose)
        if rule is None and not request.choices and not request.regex:
            raise UserError(
                f"The scripted model has no rule for {request.purpose!r}.{near(request.purpose, self._rules)} "
                f"Known: {', '.join(sorted(self._rules))}. Add one with rules=, or use another model."
            )
        reply = rule(request) if rule is not None else ""
        text = reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False, sort_keys=True)
        text = _bound(request, reply, text)
        asked = sum(len(part.split()) for part in extracts.flatten(request.inputs))
        return Completion(text, prompt_tokens=asked, completion_tokens=len(text.split()))


def _always(reply: Plain) -> Rule:
    return lambda request: reply


def _bound(request: Request, reply: Plain, text: str) -> str:
    """Return a reply of the form that the request asks for.

    Of `choices`, the one that the rule gave, else the one that shares most words with what it gave and with the inputs,
    the first of equals. For a `regex`, what the rule gave, or the first text in it or in the inputs that matches.
    """
    if request.choices:
        return _choice(request, [text, *extracts.flatten(reply)])
    return _matching(request, text) if request.regex else text


def _choice(request: Request, replies: Sequence[str]) -> str:
    given = [reply for reply in replies if reply in request.choices]
    texts = [text for text in (*replies, *extracts.flatten(request.inputs)) if text not in request.choices]
    best, _ = _best({word for text in texts for word in extracts.content_words(text)}, request.choices)
    return given[0] if given else request.choices[best]


def _matching(request: Request, text: str) -> str:
    try:
        pattern = re.compile(request.regex)
    except re.error as error:
        raise UserError(f"{request.purpose}: {request.regex!r} is no regular expression: {error}.") from None
    if pattern.fullmatch(text):
        return text
    for candidate in (text, *extracts.flatten(request.inputs)):
        if match := pattern.search(candidate):
            return match.group()
    raise UserError(
        f"The scripted model finds nothing of the form {request.regex!r} for {request.purpose!r}: "
        "give a reply of that form with replies=, or use another model."
    )


def _texts(request: Request, *keys: str) -> list[str]:
    """Return the texts of the named inputs, or of all when the last and most specific is absent."""
    found = keys if keys[-1] in request.inputs else sorted(request.inputs)
    return [text for key in found for text in extracts.flatten(request.inputs.get(key))]


def _without(request: Request, key: str) -> Request:
    return replace(request, inputs={name: value for name, value in request.inputs.items() if name != key})


def _limit(request: Request) -> int:
    return min(request.max_tokens, SUMMARY_WORDS)


def _update(request: Request) -> Plain:
    items = extracts.sentences(_texts(request, "summary", "turns"))
    return {"text": extracts.summary(items, extracts.ranked(items), _limit(request))}


def _summary_of(key: str) -> Rule:
    def rule(request: Request) -> Plain:
        items = extracts.sentences(_texts(request, key))
        return {"text": extracts.summary(items, extracts.ranked(items), _limit(request))}

    return rule


def _portrait_of(key: str) -> Rule:
    def rule(request: Request) -> Plain:
        items = extracts.sentences(_texts(request, key))
        order = sorted(extracts.ranked(items), key=lambda i: FIRST_PERSON.isdisjoint(extracts.words(items[i])))
        return {"text": extracts.summary(items, order, _limit(request))}

    return rule


def _importance(request: Request) -> Plain:
    """Return 1, plus 3 for a life event, 2 for a number, and 1 each for a name, for the first person, for a question or
    exclamation, and for more than 20 words.
    """
    text = " ".join(_texts(request, "text"))
    found = extracts.words(text)
    score = 1
    score += 3 * (not EVENTS.isdisjoint(found))
    score += 2 * bool(re.search(r"\d", text))
    score += any(extracts.proper_names(sentence) for sentence in extracts.sentences([text]))
    score += not FIRST_PERSON.isdisjoint(found)
    score += bool(re.search(r"[?!]", text))
    score += len(found) > 20
    return {"importance": score}


def _questions(request: Request) -> Plain:
    subjects = extracts.frequent(_texts(request, "statements"), QUESTIONS)
    general = ["What happened?", "Who took part?", "What has changed?"]
    asked = [f"What is known about {subject}?" for subject in subjects]
    return {"questions": [*asked, *general][:QUESTIONS]}


def _insights(request: Request) -> Plain:
    """Return the most salient statements, each with all statements that share half of its content words as evidence."""
    statements = _texts(request, "statements")
    bags = [set(extracts.content_words(statement)) for statement in statements]
    insights = []
    for i in extracts.ranked(statements)[:INSIGHTS]:
        evidence = [j for j, bag in enumerate(bags) if j == i or (bags[i] and 2 * len(bag & bags[i]) >= len(bags[i]))]
        insights.append({"text": statements[i], "evidence": evidence})
    return {"insights": insights}


def _best(wanted: set[str], candidates: Sequence[str]) -> tuple[int, int]:
    """Return the position of the candidate that shares most content words, the first of equals, and how many."""
    shared = [len(wanted & set(extracts.content_words(candidate))) for candidate in candidates]
    most = max(shared, default=0)
    return (shared.index(most) if shared else 0), most


def _answer(request: Request) -> Plain:
    """Return the sentence that shares most content words with the question, without its speaker; else `NO_ANSWER`."""
    question = " ".join(extracts.flatten(request.inputs.get("question")))
    context = extracts.sentences(_texts(_without(request, "question"), "context"))
    best, shared = _best(set(extracts.content_words(question)), context)
    return {"answer": re.sub(r"^[A-Z][\w ]*: ", "", context[best]) if shared else NO_ANSWER}


def _action(request: Request) -> Plain:
    """Return the action that shares most content words with the situation and the context, the first of equals.

    Where no action is named among the inputs, the choices of the reply's schema are the actions.
    """
    actions = list(request.inputs.get("actions") or choices(request.schema or {}))
    known = _texts(_without(request, "actions"), "context", "situation")
    best, _ = _best({word for text in known for word in extracts.content_words(text)}, actions)
    return {"action": actions[best]} if actions else {}


def choices(schema: Mapping[str, Plain]) -> list[str]:
    """Return what the "action" of a reply's JSON schema may be, as `enum` or `const` says it."""
    action = schema.get("properties", {}).get("action", {})
    return list(action.get("enum", [action["const"]] if "const" in action else []))


def _step(field: str, rule: Rule) -> Rule:
    """Return a rule of steps: recalls once where it may, then does what `rule` says from all that was found."""

    def step(request: Request) -> Plain:
        given = request.inputs
        about = extracts.frequent(extracts.flatten(given.get("question" if field == "answer" else "situation")), 1)
        if given.get("recalls") and not given.get("steps") and about:
            return {"thought": f"More about {about[0]}.", "do": {"recall": about[0]}}
        found = [line.removeprefix("Found: ") for line in given.get("steps", ()) if line.startswith("Found: ")]
        whole = replace(request, inputs={**given, "context": [*given.get("context", ()), *found]})
        return {"thought": "That will do.", "do": rule(whole)}

    return step


def _grade(request: Request) -> Plain:
    wanted = set(extracts.words(str(request.inputs.get("truth", "")) or NO_ANSWER))
    said = wanted & set(extracts.words(str(request.inputs.get("answer", ""))))
    return "correct" if said == wanted else "partly" if said else "wrong"


RULES: Mapping[str, Rule] = {
    "sum.update": _update,
    "ga.importance": _importance,
    "ga.questions": _questions,
    "ga.insights": _insights,
    "mb.day_summary": _summary_of("turns"),
    "mb.overall_summary": _summary_of("days"),
    "mb.day_personality": _portrait_of("turns"),
    "mb.overall_personality": _portrait_of("days"),
    "reader.answer": _answer,
    "policy.action": _action,
    "reader.react": _step("answer", _answer),
    "policy.react": _step("action", _action),
    "reader.order": lambda request: next(iter(request.inputs.get("labels", ())), ""),
    "judge.answer": _grade,
}
