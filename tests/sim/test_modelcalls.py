"""Recording and replaying model calls: what is asked again, what counts, and what survives a crash."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest

from simonides.sim.errors import CorruptFile, ModelFailed, NotRecorded, NotWritten
from simonides.sim.modelcalls import FILE, CallFile, Recorded, key_of, read_calls, request_of
from simonides.sim.types import Completion, Message, ModelCard, Request, TokenScore

ASK = Request("reader.answer", seed=7, messages=(Message("user", "Where is Rui?"),), caller="w0/ana")


class Server:
    """A model that never gives the same reply twice."""

    card = ModelCard("server")

    def __init__(self, pause: float = 0.0):
        self.asked: list[Request] = []
        self.pause = pause
        self.closed = False

    async def complete(self, requests):
        self.asked.extend(requests)
        n = len(self.asked)
        await asyncio.sleep(self.pause)
        scores = (TokenScore("reply", -0.5, {"reply": -0.5, "other": -1.5}),)
        return [Completion(f"reply {n - len(requests) + i}", 3, 2, scores=scores) for i, _ in enumerate(requests)]

    async def close(self):
        self.closed = True


def ask(model, *requests):
    return asyncio.run(model.complete(requests))


def test_the_same_question_is_asked_once_and_its_reply_survives_the_process(tmp_path):
    server = Server()
    first = ask(Recorded(server, CallFile(tmp_path)), ASK)
    later = ask(Recorded(server, CallFile(tmp_path)), ASK)
    assert first == later
    assert first[0].scores[0].top == {"reply": -0.5, "other": -1.5}
    assert len(server.asked) == 1


def test_who_asks_is_no_part_of_what_is_asked():
    assert key_of("m", ASK) == key_of("m", replace(ASK, caller="w1/rui"))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8}, {"purpose": "x"}, {"messages": (Message("user", "Where?"),)}, {"temperature": 0.5}, {"top_p": 0.9},
        {"max_tokens": 5}, {"stop": ("\n",)}, {"choices": ("a", "b")}, {"regex": "a+"}, {"schema": {"type": "object"}},
        {"logprobs": 0}, {"prompt_logprobs": True}, {"messages": (), "prompt": "Where is Rui?"},
    ],
)  # fmt: skip
def test_whatever_else_changes_makes_another_call(change):
    assert key_of("m", ASK) != key_of("m", replace(ASK, **change))
    assert key_of("m", ASK) != key_of("other", ASK)


@pytest.mark.parametrize(
    "change",
    [
        {}, {"choices": ("a", "b"), "stop": ("\n",)}, {"regex": "a+", "logprobs": 0}, {"schema": {"type": "object"}},
        {"messages": (), "prompt": "Where is Rui?", "prompt_logprobs": True}, {"messages": (), "inputs": {"x": [1]}},
        {"temperature": 0.5, "top_p": 0.9, "max_tokens": 5, "seed": 2**64 - 1},
    ],
)  # fmt: skip
def test_a_recorded_call_can_be_asked_again_as_it_was(tmp_path, change):
    request = replace(ASK, **change)
    ask(Recorded(Server(), CallFile(tmp_path)), request)
    (call,) = read_calls(tmp_path)
    assert request_of(call) == request
    assert key_of("server", request_of(call)) == call.key


def test_identical_calls_in_flight_are_asked_once(tmp_path):
    server = Server(pause=0.02)

    async def many():
        recorded = Recorded(server, CallFile(tmp_path))
        replies = await asyncio.gather(*(recorded.complete([ASK]) for _ in range(20)), recorded.complete([ASK, ASK]))
        return recorded, {reply.text for some in replies for reply in some}

    recorded, texts = asyncio.run(many())
    assert len(server.asked) == 1
    assert texts == {"reply 0"}
    assert (recorded.asked, recorded.shared, recorded.known) == (1, 21, 0)


def test_the_first_stored_reply_wins_over_a_later_one_of_another_process(tmp_path):
    mine, theirs = CallFile(tmp_path), CallFile(tmp_path)
    slow = Recorded(Server(pause=0.05), mine)

    async def race():
        waiting = asyncio.ensure_future(slow.complete([ASK]))
        await asyncio.sleep(0.01)
        other = Server()
        other.asked.append(ASK)  # its reply is "reply 1"
        early = await Recorded(other, theirs).complete([ASK])
        return early, await waiting

    early, late = asyncio.run(race())
    assert early == late
    assert early[0].text == "reply 1"
    assert len(list(read_calls(tmp_path))) == 1


def test_a_replay_asks_nothing_and_names_the_call_that_it_misses(tmp_path):
    server = Server()
    recorded = ask(Recorded(server, CallFile(tmp_path)), ASK)
    replay = Recorded(server, CallFile(tmp_path), "replay")
    assert ask(replay, ASK) == recorded
    with pytest.raises(NotRecorded, match=r"no reply to reader\.answer asked by w0/ana .*seed 8"):
        ask(replay, replace(ASK, seed=8))
    assert len(server.asked) == 1


def test_a_reply_that_was_torn_by_a_crash_is_asked_again_and_later_ones_stay_readable(tmp_path):
    other = replace(ASK, seed=8)
    ask(Recorded(Server(), CallFile(tmp_path)), ASK, other)
    path = tmp_path / FILE
    os.truncate(path, path.stat().st_size - 5)
    server = Server()
    recorded = Recorded(server, CallFile(tmp_path))
    ask(recorded, other)
    assert server.asked == [other]
    assert {call.parameters["seed"] for call in read_calls(tmp_path)} == {7, 8}


def test_a_flipped_bit_is_one_clear_line(tmp_path):
    ask(Recorded(Server(), CallFile(tmp_path)), ASK, replace(ASK, seed=8))
    path = tmp_path / FILE
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptFile, match="fails its checksum"):
        CallFile(tmp_path).find(key_of("server", ASK))


def test_who_asked_may_go_and_the_reply_is_kept(tmp_path):
    server = Server(pause=0.02)

    async def leave():
        recorded = Recorded(server, CallFile(tmp_path))
        waiting = asyncio.ensure_future(recorded.complete([ASK]))
        await asyncio.sleep(0.005)
        waiting.cancel()
        return await recorded.complete([ASK])

    assert asyncio.run(leave())[0].text == "reply 0"
    assert len(server.asked) == 1


def test_a_model_that_fails_fails_who_asked_and_may_be_asked_again(tmp_path):
    class Weak(Server):
        async def complete(self, requests):
            if not self.asked:
                self.asked.extend(requests)
                raise ModelFailed("no memory left")
            return await super().complete(requests)

    recorded = Recorded(Weak(), CallFile(tmp_path))

    async def twice():
        with pytest.raises(ModelFailed, match="no memory left"):
            await recorded.complete([ASK])
        return await recorded.complete([ASK])

    assert asyncio.run(twice())[0].text == "reply 1"


def test_a_model_that_gives_too_few_completions_is_told_so(tmp_path):
    class Short(Server):
        async def complete(self, requests):
            return []

    with pytest.raises(ModelFailed, match="gave 0 completions for 1 requests"):
        ask(Recorded(Short(), CallFile(tmp_path)), ASK)


def test_a_reply_that_cannot_be_stored_is_not_seen(tmp_path, monkeypatch):
    calls = CallFile(tmp_path)
    recorded = Recorded(Server(), calls)

    def full(*_):
        raise OSError(28, "No space left on device")

    async def first_full_then_room():
        with monkeypatch.context() as patched, pytest.raises(NotWritten, match="No space left"):
            patched.setattr(os, "write", full)
            await recorded.complete([ASK])
        assert len(calls) == 0
        return await recorded.complete([ASK])

    assert asyncio.run(first_full_then_room())[0].text == "reply 1"
    assert len(CallFile(tmp_path)) == 1


def test_a_file_tells_what_was_asked(tmp_path):
    ask(Recorded(Server(), CallFile(tmp_path)), ASK)
    (call,) = read_calls(tmp_path)
    assert (call.identity, call.purpose, call.asked) == ("server", "reader.answer", [["user", "Where is Rui?"]])
    assert call.parameters["caller"] == "w0/ana"
    assert call.completion.text == "reply 0"


def test_closing_ends_the_model(tmp_path):
    server = Server()
    asyncio.run(Recorded(server, CallFile(tmp_path)).close())
    assert server.closed
