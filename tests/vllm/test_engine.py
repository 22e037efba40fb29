"""What the engine is asked and what comes back: batches, structure, scores, the prefix cache, refusals in one line."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from engines import MARKS
from pydantic import BaseModel, ConfigDict

from simonides.sim.errors import ModelFailed
from simonides.sim.types import Message, Request

pytestmark = MARKS


def chat(text: str, system: str = "Reply briefly.", **options) -> Request:
    return Request("test.chat", messages=(Message("system", system), Message("user", text)), **options)


class Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    sure: bool
    number: int


def test_replies_are_the_same_alone_and_in_a_batch_cold_and_drawn(exact):
    cold = [chat(f"Name a town near {name}.", max_tokens=6) for name in ("Porto", "Lodz", "Graz", "Bern")]
    drawn = [chat("Name a town.", max_tokens=6, temperature=1.0, seed=2**64 - 1 - i) for i in range(4)]
    alone = [exact(request)[0] for request in cold + drawn]
    assert list(exact(*cold, *drawn)) == alone
    assert len({completion.text for completion in alone[4:]}) > 1
    assert all(c.prompt_tokens > 10 and 0 < c.completion_tokens <= 6 for c in alone)


def test_more_prompts_than_a_step_can_hold_are_answered_when_drawn_with_seeds(exact):
    """vLLM splits prompts at the limit of a step (2048 tokens), which killed it on processors: see ENGINE_ON_CPU."""
    long = [chat(f"Note {i}. " + "The ferry was late again. " * 40, max_tokens=2, temperature=1.0) for i in range(12)]
    replies = exact(*long)
    assert sum(reply.prompt_tokens for reply in replies) > 2048
    assert all(reply.completion_tokens for reply in replies)


def test_structured_replies_always_fit(exact):
    schema = Reply.model_json_schema()
    requests = [chat("Anything?", schema=schema, max_tokens=60, temperature=1.5, seed=i) for i in range(6)]
    requests += [chat("Which?", choices=("red fox", "blue whale"), temperature=1.5, seed=i) for i in range(3)]
    requests += [chat("When?", regex=r"(19|20)\d\d-\d\d", temperature=1.5, seed=i) for i in range(3)]
    replies = exact(*requests)
    for reply in replies[:6]:
        # The schema bounds no number, so that a reply may meet its limit of tokens within one.
        assert reply.finish == "length" or Reply.model_validate_json(reply.text)
    assert sum(reply.finish == "stop" for reply in replies[:6]) >= 3
    assert {reply.text for reply in replies[6:9]} <= {"red fox", "blue whale"}
    assert all(re.fullmatch(r"(19|20)\d\d-\d\d", reply.text) for reply in replies[9:])


def test_a_shared_beginning_is_read_from_the_prefix_cache(exact):
    shared = "You keep the diary of a small harbour town. " * 20
    exact(chat("Who came today?", shared, max_tokens=1))
    before = exact.model.counters()
    exact(*(chat(f"Who came on day {i}?", shared, max_tokens=1) for i in range(4)))
    after = exact.model.counters()
    hits, queries = (after[name] - before[name] for name in ("prefix_hits", "prefix_queries"))
    assert 0.5 < hits / queries < 1
    assert after["prompt_tokens"] > before["prompt_tokens"]
    assert after["finished"] == before["finished"] + 4


def test_tokens_are_scored_in_reply_and_prompt(exact):
    (reply,) = exact(Request("test.score", prompt="One two three four", max_tokens=3, logprobs=2, prompt_logprobs=True))
    assert "".join(score.token for score in reply.scores) == reply.text
    assert len(reply.scores) == reply.completion_tokens
    for score in reply.scores:
        assert score.logprob == max(score.top.values()) == score.top[score.token]
        assert len(score.top) == 2
    assert [score.token for score in reply.prompt_scores] == [" two", " three", " four"]
    assert reply.prompt_scores[-1].logprob > reply.prompt_scores[0].logprob


def test_a_stop_text_and_the_token_limit_say_why_a_reply_ended(exact):
    stopped, full = exact(
        chat("Count from one to nine.", regex="one two three", stop=(" three",)),
        chat("Tell a long story.", max_tokens=4),
    )
    assert (stopped.text, stopped.finish) == ("one two", "stop")
    assert (full.completion_tokens, full.finish) == (4, "length")


@pytest.mark.parametrize(
    "request_, says",
    [
        (chat("?", schema={"type": "strnig"}), 'refused test.chat: .*Unsupported type "strnig"'),
        (chat("?", regex="((("), "refused test.chat: .*parenthesis"),
        (chat("?", logprobs=50), "refused test.chat: .*greater than max allowed: 20"),
        (chat("?", max_tokens=500), r"has \d+ tokens and may take 500 more, but the context is 512"),
        (Request("test.none"), "neither messages nor a prompt"),
    ],
)
def test_what_the_engine_refuses_is_one_line_that_names_the_purpose(exact, request_, says):
    with pytest.raises(ModelFailed, match=says) as raised:
        exact(request_)
    assert "\n" not in str(raised.value)
    assert request_.purpose in str(raised.value)
    assert exact(chat("Still there?", max_tokens=1))


def test_of_a_prompt_that_is_too_long_the_oldest_is_cut_and_counted(exact, monkeypatch):
    engine = exact.model._engine
    monkeypatch.setattr(engine, "_fitting", replace(engine._fitting, overflow="cut-oldest"))
    long = "word " * 300
    turns = (Message("system", "Be kind."), Message("user", long), Message("assistant", long), Message("user", "Now?"))
    dropped, cut, plain = exact(
        Request("a", messages=turns, max_tokens=1, prompt_logprobs=True),
        chat(long + long + "the end", "Be kind.", max_tokens=10, prompt_logprobs=True),
        Request("c", prompt=long + long + "the end", max_tokens=12),
    )
    assert dropped.prompt_tokens < 512 and 300 < dropped.truncated < 700
    assert cut.prompt_tokens <= 502 < cut.prompt_tokens + 5 and cut.truncated > 90
    assert plain.prompt_tokens <= 500 < plain.prompt_tokens + 5 and plain.truncated > 90
    for reply, ends in ((dropped, "Now?"), (cut, "the end")):
        text = "".join(score.token for score in reply.prompt_scores)
        assert "Be kind." in text
        assert ends in text


def test_the_context_is_known_once_it_has_started(exact):
    exact(chat("Hello", max_tokens=1))
    assert exact.model.card.context == 512
    assert json.dumps(sorted(exact.model.card.structured)) == '["choice", "json", "regex"]'
