"""Record what models reply under the content of the question, and replay it: a run repeats though its server does not.

One file a run, shared by its trials and by all processes of a machine. A reply is on the disk before anybody sees it,
and the first one stored under a key is the only one that is ever seen.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from simonides.sim.codec import decode, encode
from simonides.sim.errors import CorruptFile, ModelFailed, NotRecorded
from simonides.sim.framing import HEAD, FrameWriter, read_frames
from simonides.sim.modeltimings import Meter
from simonides.sim.protocols import Model
from simonides.sim.types import Completion, Message, ModelCard, Plain, Request, TokenScore

Mode = Literal["record", "replay", "off"]
FILE = "modelcalls.msgpack"
CALL = 1
"""Type tag of a recorded call."""


def key_of(identity: str, request: Request) -> bytes:
    """Return the 32-byte key of a call: sha256 over model, question, parameters and seed. Who asks is no part of it."""
    asked: list[Plain] = [(m.role, m.content) for m in request.messages] or request.prompt or request.inputs  # type: ignore[assignment]
    parameters = (
        request.purpose, request.schema, request.choices, request.regex, request.seed, request.max_tokens,
        request.temperature, request.top_p, request.stop, request.logprobs, request.prompt_logprobs,
    )  # fmt: skip
    return hashlib.sha256(encode((identity, asked, parameters))).digest()


@dataclass(frozen=True, slots=True)
class Call:
    """A recorded call, for people and tools that read the file: what was asked of which model, and its reply."""

    key: bytes
    identity: str
    purpose: str
    asked: Plain
    """[[role, content], ...] of a chat, or the prompt of a completion."""
    parameters: Mapping[str, Plain]
    completion: Completion


class CallFile:
    """The calls of a run in one append-only file; several processes of a machine may hold it open.

    Only the places of calls are kept in memory, not their texts. Not safe on network file systems without locks: on a
    cluster one process keeps the file for all.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self._writer = FrameWriter(self.path)
        self._lock = os.open(folder / f".{FILE}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        self._mutex = threading.Lock()  # `store` runs in a thread of its own
        self._places: dict[bytes, tuple[int, int]] = {}
        self._end = 0

    def find(self, key: bytes) -> Completion | None:
        """Return the reply that was stored first under a key, by whichever process; None when there is none."""
        if key not in self._places and self.path.stat().st_size > self._end:
            with self._mutex:
                self._read_on()
        place = self._places.get(key)
        return None if place is None else self._at(*place).completion

    def store(self, calls: Sequence[Call]) -> list[Completion]:
        """Put calls on the disk and return the reply of each key that counts: the one that was there first.

        Raises NotWritten when the disk is full; nothing is stored then.
        """
        with self._mutex, self._locked():
            self._read_on()
            if self._end < self.path.stat().st_size:
                os.truncate(self.path, self._end)  # a process died while it wrote: we hold the lock
            try:
                for call in calls:
                    if call.key not in self._places:
                        self._append(call)
                self._writer.sync()
            except BaseException:
                self._forget()
                raise
        return [self._at(*self._places[call.key]).completion for call in calls]

    def __len__(self) -> int:
        """The number of calls."""
        self._read_on()
        return len(self._places)

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _append(self, call: Call) -> None:
        payload = _payload(call)
        self._writer.append(CALL, payload)
        self._places[call.key] = (self._end + HEAD.size, len(payload))
        self._end += HEAD.size + len(payload)

    def _forget(self) -> None:
        """Begin again from what the file holds, after a write that failed."""
        self._writer.discard()
        self._places, self._end = {}, 0
        self._read_on()

    def _read_on(self) -> None:
        """Take in what other processes have appended since."""
        for frame in read_frames(self.path, self._end):
            begins = frame.offset + HEAD.size
            self._places.setdefault(frame.payload[:32], (begins, len(frame.payload)))
            self._end = begins + len(frame.payload)

    def _at(self, offset: int, size: int) -> Call:
        with open(self.path, "rb") as file:
            return _call(os.pread(file.fileno(), size, offset), self.path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)


def read_calls(folder: Path) -> Iterator[Call]:
    """Yield the recorded calls of a run in the order they were stored; nothing is written. Raises CorruptFile."""
    for frame in read_frames(folder / FILE):
        yield _call(frame.payload, folder / FILE)


def _payload(call: Call) -> bytes:
    return call.key + encode(
        (call.identity, call.purpose, call.asked, call.parameters, completion_columns(call.completion))
    )


def _call(payload: bytes, path: Path) -> Call:
    try:
        identity, purpose, asked, parameters, columns = decode(payload[32:])
        return Call(payload[:32], identity, purpose, asked, parameters, completion_of(columns))
    except (ValueError, TypeError, CorruptFile) as error:
        raise CorruptFile(
            f"{path}: a recorded call cannot be read ({error}); it was written by another version."
        ) from None


def request_of(call: Call) -> Request:
    """Return the request behind a recorded call: asked again, it has the call's key."""
    given = dict(call.parameters)
    bound = given.pop("structured")
    given |= {"prompt_logprobs": bool(given["prompt_logprobs"]), "stop": tuple(given["stop"] or ())}
    if isinstance(bound, Mapping):
        given["schema"] = bound
    elif isinstance(bound, str):
        given["regex"] = bound
    else:
        given["choices"] = tuple(bound or ())
    if isinstance(call.asked, list):
        given["messages"] = tuple(Message(*message) for message in call.asked)
    else:
        given["prompt" if isinstance(call.asked, str) else "inputs"] = call.asked
    return Request(call.purpose, **given)


def completion_columns(completion: Completion) -> Plain:
    """Return a completion as plain lists, for files and wires."""
    c = completion
    scores = [[(s.token, s.logprob, dict(s.top)) for s in some] for some in (c.scores, c.prompt_scores)]
    return [c.text, c.prompt_tokens, c.completion_tokens, c.finish, c.truncated, *scores]


def completion_of(columns: Sequence[Plain]) -> Completion:
    """Return the completion behind `completion_columns`."""
    values: list[Plain] = [*columns[:5], *(tuple(TokenScore(*score) for score in some) for some in columns[5:])]
    return Completion(*values)


class Recorded:
    """A model whose replies are recorded: asks it only what the record does not hold, and identical questions once."""

    def __init__(self, model: Model, calls: CallFile, mode: Mode = "record") -> None:
        self._model = model
        self._calls = calls
        self._mode = mode
        self._asking: dict[bytes, asyncio.Future[Completion]] = {}
        self._unstored: list[tuple[Call, asyncio.Future[Completion]]] = []
        self._storing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.known = self.shared = 0
        """Requests that the record answered, and that waited for an identical one."""
        self._meter = Meter()

    @property
    def card(self) -> ModelCard:
        """The card of the model behind."""
        return self._model.card

    async def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order.

        Raises NotRecorded for a replay's miss, ModelFailed, NotWritten when a reply cannot be stored.
        """
        found: list[asyncio.Future[Completion] | Completion] = []
        missing: list[tuple[bytes, Request]] = []
        for request in requests:
            key = key_of(self.card.identity, request)
            if key in self._asking and not self._asking[key].done():
                self.shared += 1
                found.append(self._asking[key])
                continue
            kept = self._calls.find(key)
            if kept is not None:
                self.known += 1
                found.append(kept)
                continue
            if self._mode == "replay":
                raise self._miss(key, request)
            self._asking[key] = asyncio.get_running_loop().create_future()
            found.append(self._asking[key])
            missing.append((key, request))
        if missing:
            # A task of its own: if who asks is cancelled, others may still wait for the same reply.
            task = asyncio.ensure_future(self._ask(missing))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return [one if isinstance(one, Completion) else await asyncio.shield(one) for one in found]

    def counters(self) -> dict[str, float]:
        """Return how many requests were known and shared, what was asked, and the counters of the model behind."""
        behind: Callable[[], Mapping[str, float]] | None = getattr(self._model, "counters", None)
        own = {"known": float(self.known), "shared": float(self.shared)}
        return {**(behind() if behind is not None else {}), **self._meter.counts, **own}

    @property
    def asked(self) -> int:
        """Requests that the model was asked."""
        return int(self._meter.counts["asked"])

    async def close(self) -> None:
        """Close the model and the record, after what is being asked has ended."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._model.close()
        self._calls.close()

    async def _ask(self, missing: Sequence[tuple[bytes, Request]]) -> None:
        futures = {key: self._asking[key] for key, _ in missing}
        try:
            with self._meter.asking(len(missing)):
                completions = await self._model.complete([request for _, request in missing])
            self._meter.answered(completions)
            if len(completions) != len(missing):
                raise ModelFailed(
                    f"{self.card.identity} gave {len(completions)} completions for {len(missing)} requests."
                )
            for (key, request), completion in zip(missing, completions, strict=True):
                self._unstored.append((_as_call(self.card.identity, key, request, completion), futures[key]))
            if self._storing is None or self._storing.done():
                self._storing = asyncio.ensure_future(self._store())
            await asyncio.wait(futures.values())
        except Exception as error:
            _fail(futures.values(), error)
        except BaseException:
            _fail(futures.values(), ModelFailed("The call was cancelled."))
            raise
        finally:
            for key, future in futures.items():
                if self._asking.get(key) is future:
                    del self._asking[key]

    async def _store(self) -> None:
        """Store what has gathered, all replies of one write together, until nothing is left."""
        while self._unstored:
            batch, self._unstored = self._unstored, []
            try:
                winners = await asyncio.to_thread(self._calls.store, [call for call, _ in batch])
            except Exception as error:
                _fail([future for _, future in batch], error)
                continue
            for (_, future), winner in zip(batch, winners, strict=True):
                if not future.done():
                    future.set_result(winner)

    def _miss(self, key: bytes, request: Request) -> NotRecorded:
        return NotRecorded(
            f"{self._calls.path} holds no reply to {request.purpose} asked by {request.caller or 'nobody'} "
            f"(key {key.hex()[:16]}, seed {request.seed}, model {self.card.identity}): the study, a prompt or the "
            "model has changed since it was recorded. Run with --calls record to ask the model."
        )


def _fail(futures: Iterable[asyncio.Future[Completion]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
            future.exception()  # who asked may be gone


def _as_call(identity: str, key: bytes, request: Request, completion: Completion) -> Call:
    asked: Plain = [[m.role, m.content] for m in request.messages] or request.prompt or dict(request.inputs)
    parameters = {
        "seed": request.seed, "max_tokens": request.max_tokens, "temperature": request.temperature,
        "top_p": request.top_p, "structured": request.schema or list(request.choices) or request.regex or None,
        "stop": list(request.stop) or None, "logprobs": request.logprobs,
        "prompt_logprobs": request.prompt_logprobs or None, "caller": request.caller,
    }  # fmt: skip
    return Call(key, identity, request.purpose, asked, parameters, completion)
