"""A true HTTP server on loopback that speaks the OpenAI API, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What is sent back: after `delay` seconds, cut off after `cut` bytes, one byte each `drip` s, or never."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    delay: float = 0.0
    cut: int | None = None
    never: bool = False
    drip: float = 0.0


def answer(status: int, value: Any, **more: Any) -> Answer:
    return Answer(status, json.dumps(value).encode(), **more)


def error(status: int, message: str, **more: Any) -> Answer:
    return answer(status, {"error": {"message": message, "code": status}}, **more)


class WellBehaved:
    """A toy model that checks what it receives and replies a function of it."""

    models = ("toy", "toy-large")

    def __call__(self, asked: Asked) -> Answer:
        if asked.path.endswith("/models"):
            return answer(200, {"object": "list", "data": [{"id": name} for name in self.models]})
        assert asked.method == "POST" and asked.headers["content-type"] == JSON
        body = asked.body
        if body["model"] not in self.models:
            return error(404, f"The model `{body['model']}` does not exist.")
        if asked.path.endswith("/embeddings"):
            return self.embeddings(body)
        return self.chat(body) if asked.path.endswith("/chat/completions") else self.completion(body)

    def reply(self, body: Any) -> str:
        """A JSON text of the strings that its schema wants, or else words that depend on prompt and seed."""
        said = json.dumps([body.get("messages"), body.get("prompt"), body.get("seed")])
        word = hashlib.sha256(said.encode()).hexdigest()[:6]
        form = body.get("response_format")
        if form is None:
            return f"reply {word}"
        assert form["type"] == "json_schema" and form["json_schema"]["strict"] is True
        properties = form["json_schema"]["schema"]["properties"]
        return json.dumps({name: spec.get("enum", [word])[0] for name, spec in properties.items()})

    def chat(self, body: Any) -> Answer:
        assert all(set(message) == {"role", "content"} for message in body["messages"])
        asked = sum(len(message["content"].split()) for message in body["messages"])
        choice = {"index": 0, "message": {"role": "assistant", "content": self.reply(body)}, "finish_reason": "stop"}
        if body.get("logprobs"):
            top = [{"token": "reply", "logprob": -0.25}, {"token": "other", "logprob": -1.5}]
            choice["logprobs"] = {"content": [{"token": "reply", "logprob": -0.25, "top_logprobs": top}]}
        return answer(200, {"choices": [choice], "usage": {"prompt_tokens": asked, "completion_tokens": 2}})

    def completion(self, body: Any) -> Answer:
        choice = {"index": 0, "text": self.reply(body), "finish_reason": "length"}
        if body.get("logprobs") is not None:
            choice["logprobs"] = {"tokens": ["re", "ply"], "token_logprobs": [-0.5, -0.25], "top_logprobs": None}
        if body.get("prompt_logprobs") is not None:
            scored = [{str(i): {"logprob": -i, "decoded_token": w}} for i, w in enumerate(body["prompt"].split())]
            choice["prompt_logprobs"] = [None, *scored[1:]]
        return answer(200, {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 2}})

    def embeddings(self, body: Any) -> Answer:
        data = [{"index": i, "embedding": vector_of(text)} for i, text in enumerate(body["input"])]
        return answer(200, {"data": data[::-1], "usage": {"prompt_tokens": 1}})


def vector_of(text: str, dimension: int = 4) -> list[float]:
    return [1.0 + byte for byte in hashlib.sha256(text.encode()).digest()[:dimension]]


class ApiServer:
    """Serves in a thread of its own: `script` says what each request gets, and `asked` holds what came."""

    def __init__(self, script: Callable[[Asked], Answer] | Sequence[Answer] | None = None) -> None:
        self.asked: list[Asked] = []
        self.active = self.most_active = 0
        self._well = WellBehaved()
        self._script = script
        self._errors: list[BaseException] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> ApiServer:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        assert not self._errors, self._errors

    def stop(self) -> None:
        """Stop listening and cut every connection; a second time does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._handlers: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for task in list(self._handlers):
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except BaseException as error:  # an assertion of the script: told at the end
            self._errors.append(error)
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection goes on."""
        first = await reader.readexactly(1)
        if first == b"\x16":  # a TLS greeting, on a plain port
            writer.write(b"HTTP/1.1 400 X\r\n\r\n")
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        asked = Asked(method, path, headers, json.loads(raw) if raw else None)
        self.asked.append(asked)
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            return await self._send(self._answer(asked), writer)
        finally:
            self.active -= 1

    def _answer(self, asked: Asked) -> Answer:
        if callable(self._script):
            return self._script(asked)
        turn = len(self.asked) - 1
        if self._script is not None and turn < len(self._script):
            return self._script[turn]
        return self._well(asked)

    async def _send(self, reply: Answer, writer: asyncio.StreamWriter) -> bool:
        if reply.never:
            await asyncio.sleep(3600)
        await asyncio.sleep(reply.delay)
        lines = {"content-type": reply.content_type, "content-length": str(len(reply.body)), **reply.headers}
        head = f"HTTP/1.1 {reply.status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
        writer.write(head.encode("latin-1"))
        size = 1 if reply.drip else max(1, len(reply.body))
        for at in range(0, len(reply.body[: reply.cut]), size):
            writer.write(reply.body[: reply.cut][at : at + size])
            await writer.drain()
            await asyncio.sleep(reply.drip)
        return reply.cut is None
