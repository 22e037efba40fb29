"""vLLM's own OpenAI-compatible server on loopback, with a small true model, asked by URL.

Needs vllm and the prepared folder of SmolLM2-135M-Instruct. What the model says is never
asserted, only its form.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from engines import model_folder

from simonides.agents.models.openai_http import OpenAIModel
from simonides.sim.config import Layout, parse_study
from simonides.sim.errors import ModelFailed
from simonides.sim.inline import Inline
from simonides.sim.trace import Trace
from simonides.sim.types import Message, Request

FOLDER = model_folder()
CONTEXT = 512

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vllm is not installed"),
    pytest.mark.skipif(not Path(FOLDER, "config.json").is_file(), reason="simonides models prepare smollm2"),
]

QUIET = {
    "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_API_KEY": "sk-local-test-key",
}  # fmt: skip


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def serve(folder, *more):
    """Start a server of its own process group; yield its URL when it answers, and end it."""
    port = free_port()
    words = [
        "--model", FOLDER, "--served-model-name", "smollm2", "--host", "127.0.0.1", "--port", port, "--enforce-eager",
        "--max-model-len", CONTEXT, "--max-num-seqs", 16, "--seed", 0, *more,
    ]  # fmt: skip
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *map(str, words)],
            env={**os.environ, **QUIET}, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 280
        while not answers(f"{url}/health"):
            log_text = (folder / "server.log").read_text()
            assert server.poll() is None and time.monotonic() < deadline, log_text[-3000:]
            time.sleep(0.5)
        yield f"{url}/v1"
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def answers(url):
    try:
        return httpx.get(url, timeout=2.0).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    yield from serve(tmp_path_factory.mktemp("server"))


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", QUIET["VLLM_API_KEY"])


def ask(url, *requests, **parameters):
    given = {"key_env": "LOCAL_KEY", "structured": "vllm", "logprobs": 5, "prompt_logprobs": True, "backoff": 0.1}
    model = OpenAIModel(**{"model": "smollm2", "url": url, **given, **parameters})

    async def asked():
        try:
            return await model.complete(requests)
        finally:
            await model.close()

    return asyncio.run(asked())


CHAT = Request("test", max_tokens=8, messages=(Message("system", "Be brief."), Message("user", "Name a colour.")))
SCHEMA = {
    "type": "object", "properties": {"colour": {"type": "string", "maxLength": 10}},
    "required": ["colour"], "additionalProperties": False,
}  # fmt: skip


def test_a_chat_is_answered_and_counted(url):
    (found,) = ask(url, CHAT)
    assert found.text and found.prompt_tokens > 10 and 0 < found.completion_tokens <= 8
    assert found.finish in ("stop", "length")


def test_the_same_seed_draws_the_same_reply_and_another_another(url):
    hot = [replace(CHAT, seed=seed, temperature=1.0, max_tokens=12) for seed in range(4)]
    alone = [ask(url, request)[0].text for request in hot]
    assert alone[0] == ask(url, hot[0])[0].text
    assert len(set(alone)) > 1


@pytest.mark.parametrize("flavour", ["vllm", "openai"])
def test_a_schema_is_enforced(url, flavour):
    ask_for = Request("a.b", schema=SCHEMA, temperature=1.0, max_tokens=40, messages=CHAT.messages)
    for found in ask(url, *(replace(ask_for, seed=n) for n in range(4)), structured=flavour):
        assert found.finish == "length" or set(json.loads(found.text)) == {"colour"}


def test_choices_and_expressions_are_enforced(url):
    choice = Request("test", choices=("crimson", "teal"), temperature=1.0, max_tokens=10, messages=CHAT.messages)
    regex = Request("test", regex="[0-9]{3}-[a-c]", temperature=1.0, max_tokens=10, messages=CHAT.messages)
    chosen, matched = ask(url, choice, regex)
    assert chosen.text in ("crimson", "teal")
    assert re.fullmatch("[0-9]{3}-[a-c]", matched.text)


def test_tokens_are_scored_in_chats_and_completions(url):
    prompt = Request("sort", prompt="One, two, three,", max_tokens=2, logprobs=3, prompt_logprobs=True)
    chat = Request("sort", max_tokens=2, logprobs=3, prompt_logprobs=True, messages=CHAT.messages)
    for found in ask(url, prompt, chat):
        assert len(found.scores) == found.completion_tokens
        assert all(score.logprob <= 0 and 3 <= len(score.top) <= 4 for score in found.scores)
        assert found.scores[0].logprob == pytest.approx(found.scores[0].top[found.scores[0].token])
        assert len(found.prompt_scores) == found.prompt_tokens - 1
        assert all(score.logprob <= 0 for score in found.prompt_scores)
    assert "".join(score.token for score in ask(url, prompt)[0].prompt_scores) == ", two, three,"


def test_many_at_once_are_answered(url):
    requests = [replace(CHAT, seed=n, messages=(Message("user", f"Count from {n}."),)) for n in range(24)]
    assert len(ask(url, *requests, concurrency=16)) == 24


def test_a_prompt_that_does_not_fit_is_refused_or_cut(url):
    long = Request("test", max_tokens=16, messages=(CHAT.messages[0], Message("user", "old news " * 900 + "Why?")))
    with pytest.raises(ModelFailed, match="does not fit the context: shorten it, or say overflow: cut-oldest"):
        ask(url, long)
    (found,) = ask(url, long, overflow="cut-oldest")
    assert found.prompt_tokens <= CONTEXT - 16
    assert found.truncated > 100


def test_a_wrong_name_a_wrong_key_and_a_bad_schema_are_one_line(url, monkeypatch):
    with pytest.raises(ModelFailed, match=r"no such model\. Did you mean 'smollm2'"):
        ask(url, CHAT, model="smollm")
    with pytest.raises(ModelFailed, match="structured: none asks in words"):
        ask(url, Request("test", schema={"type": "nonsense"}, messages=CHAT.messages))
    monkeypatch.setenv("LOCAL_KEY", "sk-not-the-right-one")
    with pytest.raises(ModelFailed, match="LOCAL_KEY is set, but its key is not accepted"):
        ask(url, CHAT)


def test_a_study_is_recorded_and_replayed(url, tmp_path):
    fields = {
        "name": "served",
        "seeds": 1,
        "memory": "bm25",
        "policy": {"name": "prompted", "budget": 40},
        "environment": {"name": "dialogue", "speakers": 4, "sessions": 2, "turns_per_session": 8, "questions": 2},
        "model": {"name": "openai", "model": "smollm2", "url": url, "key_env": "LOCAL_KEY", "structured": "vllm"},
        "sampling": {"max_tokens": 24},
    }
    (trial,) = parse_study(fields).trials()
    digests = []
    for mode in ("record", "replay"):
        with Inline(calls=tmp_path / "calls", mode=mode) as inline:
            assert not inline.run(trial, tmp_path / mode, Layout(calls=mode)).failed
        digests.append(Trace(tmp_path / mode).digest())
    assert digests[0] == digests[1]
