"""Serve one simulated device over the adb protocol on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from simonides.envs.android.adbd.automator import PORT, Automator
from simonides.envs.android.adbd.http import serve_http
from simonides.envs.android.adbd.shell import Target
from simonides.envs.android.adbd.stream import Stream
from simonides.envs.android.adbd.sync import Sync
from simonides.envs.android.adbd.terminal import Terminal
from simonides.envs.android.adbd.wire import MOST, VERSION, Message, WireError, receive
from simonides.envs.android.device import DeviceGone, SimulatedDevice
from simonides.sim.errors import UserError

HOST = "127.0.0.1"
FEATURES = ("shell_v2", "cmd", "stat_v2", "fixed_push_mkdir")
SMALLEST = 4096
"""Least payload in bytes that any adb accepts (MAX_PAYLOAD_V1)."""
FOLDERS = ("/sdcard", "/data/local/tmp")
"""What clients take to be there on any device."""
THREADS = 64
"""Most commands that run, or wait for input, at the same time."""

logger = logging.getLogger(__name__)
T = TypeVar("T")


class AdbDaemon:
    """An adb daemon; a context manager that serves while it is entered.

        with AdbDaemon(device) as daemon:
            subprocess.run(["adb", "connect", daemon.serial])

    Whoever uses the device beside it, in this process, holds `lock` meanwhile.
    """

    def __init__(self, device: SimulatedDevice, port: int = 0) -> None:
        """`port` on 127.0.0.1; 0 is any that is free."""
        self.target = Target(device, "")
        for folder in FOLDERS:
            self.target.files.make(folder)
        self._wanted = port
        self._threads = ThreadPoolExecutor(THREADS, "adb-command")
        self._port = port
        self._connections: set[Connection] = set()
        self._ready = threading.Event()
        self._failed: OSError | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="adbd", daemon=True)

    @property
    def lock(self) -> threading.RLock:
        """Held while a client's command acts on the device."""
        return self.target.lock

    @property
    def port(self) -> int:
        """The port that is served."""
        return self._port

    @property
    def serial(self) -> str:
        """What `adb connect` takes, and the device's serial number from then on."""
        return f"{HOST}:{self._port}"

    def start(self) -> AdbDaemon:
        """Begin to serve. Raises UserError if the port is taken."""
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise UserError(f"Port {self._wanted} of {HOST} cannot be served: {self._failed.strerror}. Name another.")
        return self

    def close(self) -> None:
        """End all connections, as if the device were unplugged; closing twice is no error."""
        if self._thread.is_alive() and self._failed is None:
            with suppress(RuntimeError):  # the device has gone, and the loop with it
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._threads.shutdown(wait=True)

    def __enter__(self) -> AdbDaemon:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await asyncio.start_server(self._connected, HOST, self._wanted)
        except OSError as error:
            self._failed = error
            self._ready.set()
            return
        self._port = server.sockets[0].getsockname()[1]
        self.target.serial = self.serial
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in list(self._connections):
            connection.drop()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.wait(tasks, timeout=2) if tasks else None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self.target, self._threads, reader, writer, self._stop.set)
        self._connections.add(connection)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)


class Connection:
    """One adb server that is connected, with its streams."""

    def __init__(
        self, target: Target, threads: ThreadPoolExecutor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        gone: Callable[[], None],
    ) -> None:  # fmt: skip
        """`gone` is called when the device no longer answers."""
        self._target, self._threads, self._reader, self._writer, self._gone = target, threads, reader, writer, gone
        self._streams: dict[int, Stream] = {}
        self._closing: dict[int, threading.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last = 0
        self._most, self._checked = SMALLEST, True
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Answer until the other side goes or breaks the protocol."""
        try:
            while True:
                await self._answer(await receive(self._reader, self._checked))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except WireError as error:
            logger.warning("adb: %s", error)
        finally:
            for stream in list(self._streams.values()):
                self._left(stream)
            self.drop()

    def drop(self) -> None:
        """Cut the connection."""
        self._writer.close()

    async def send(self, message: Message) -> None:
        """Send one message."""
        async with self._sending:
            self._writer.write(message.packed(self._checked))
            with suppress(ConnectionError):
                await self._writer.drain()

    async def _answer(self, message: Message) -> None:
        stream = self._streams.get(message.second)
        match message.command:
            case b"CNXN":
                await self._greet(message)
            case b"OPEN":
                await self._open(message)
            case b"WRTE" if stream is not None:
                await stream.came(message.data)
            case b"OKAY" if stream is not None:
                stream.taken()
            case b"CLSE" if stream is not None:
                self._left(stream)
            case b"WRTE":
                await self.send(Message(b"CLSE", 0, message.first))

    async def _greet(self, message: Message) -> None:
        """Agree on version and largest payload, and say what this device is."""
        version = min(message.first, VERSION)
        self._most = max(SMALLEST, min(message.second, MOST))
        known = self._target.device.properties()
        names = {
            name: known.get(name, "simulated") for name in ("ro.product.name", "ro.product.model", "ro.product.device")
        }
        said = "".join(f"{name}={value.replace(' ', '_')};" for name, value in names.items())
        banner = f"device::{said}features={','.join(FEATURES)}".encode()
        await self.send(Message(b"CNXN", version, MOST, banner))
        self._checked = version < VERSION

    async def _open(self, message: Message) -> None:
        service = message.data.rstrip(b"\0").decode(errors="replace")
        work = self._service(service)
        if work is None:
            await self.send(Message(b"CLSE", 0, message.first))
            return
        self._last += 1
        stream = Stream(self.send, self._last, message.first, self._most)
        self._streams[stream.own] = stream
        await self.send(Message(b"OKAY", stream.own, stream.other))
        task = asyncio.create_task(self._do(work, stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _service(self, service: str) -> Callable[[Stream], object] | None:
        """Return what serves a stream, None for what this device has not."""
        name, _, rest = service.partition(":")
        kind, *words = name.split(",")
        if kind in ("shell", "exec"):
            typed = kind == "shell" and ("pty" in words or ("raw" not in words and not rest))
            return lambda stream: self._terminal(stream, "v2" in words, typed, rest)
        if service == "sync:":
            return lambda stream: Sync(self._target, stream, self._act).serve()
        if service == f"tcp:{PORT}":
            return lambda stream: serve_http(Automator(self._target), stream, self._act)
        return None

    async def _terminal(self, stream: Stream, packed: bool, typed: bool, line: str) -> None:
        terminal = Terminal(self._target, stream, packed, typed, self._in_thread)
        self._closing[stream.own] = terminal.shell.closed
        await (terminal.command(line) if line else terminal.interactive())

    async def _do(self, work: Callable[[Stream], object], stream: Stream) -> None:
        try:
            await work(stream)  # type: ignore[misc]
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except DeviceGone:
            self._gone()
        except Exception:
            logger.exception("adb: a service failed; its stream is closed")
        await stream.close()
        self._left(stream)

    def _left(self, stream: Stream) -> None:
        stream.ended()
        self._streams.pop(stream.own, None)
        closed = self._closing.pop(stream.own, None)
        if closed is not None:
            closed.set()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _act(self, work: Callable[[], T]) -> T:
        """Do something with the device in a thread, in turn with the others."""

        def held() -> T:
            with self._target.lock:
                return work()

        return await self._in_thread(held)
