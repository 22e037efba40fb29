"""The adb protocol itself, spoken over a bare socket: what no well-behaved client would try as well."""

from __future__ import annotations

import socket
import struct
from contextlib import closing

import pytest

from simonides.envs.android.adbd.wire import HEADER, Message
from simonides.sim.errors import UserError


class Client:
    """One connection, message by message."""

    def __init__(self, daemon, version=0x01000001, most=1 << 20):
        self.socket = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
        self.checked = True
        self.send(b"CNXN", version, most, b"host::features=shell_v2")
        self.banner = self.receive()
        self.checked = self.banner.first < 0x01000001

    def send(self, command, first, second, data=b""):
        self.socket.sendall(Message(command, first, second, data).packed(self.checked))

    def receive(self):
        command, first, second, length, total, magic = HEADER.unpack(self._exactly(HEADER.size))
        assert magic == int.from_bytes(command, "little") ^ 0xFFFFFFFF
        data = self._exactly(length)
        assert total == (sum(data) if self.checked else 0)
        return Message(command, first, second, data)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def all_of(self, service, number=7):
        """Open a service and return what it writes until it closes."""
        self.send(b"OPEN", number, 0, service.encode() + b"\0")
        gathered, other = b"", self.receive()
        assert (other.command, other.second) == (b"OKAY", number)
        while (message := self.receive()).command == b"WRTE":
            gathered += message.data
            self.send(b"OKAY", number, message.first)
        assert message.command == b"CLSE"
        return gathered

    def close(self):
        self.socket.close()


@pytest.fixture
def client(daemon):
    made = Client(daemon)
    yield made
    made.close()


def test_the_banner_says_what_the_device_is(client):
    assert client.banner.command == b"CNXN"
    assert client.banner.data.startswith(b"device::ro.product.name=simonides;ro.product.model=Simonides_Phone;")
    assert b"features=shell_v2,cmd" in client.banner.data


def test_an_old_client_gets_checksums_and_small_messages(daemon):
    with closing(Client(daemon, 0x01000000, 4096)) as client:
        client.send(b"OPEN", 1, 0, b"exec:screencap\0")
        assert client.receive().command == b"OKAY"
        assert len(client.receive().data) == 4096


def test_nothing_more_is_written_before_the_last_message_was_taken(client):
    client.send(b"OPEN", 1, 0, b"exec:screencap\0")
    opened, first = client.receive(), client.receive()
    assert len(first.data) == 1 << 20
    client.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.receive()
    client.socket.settimeout(10)
    client.send(b"OKAY", 1, opened.first)
    assert client.receive().command == b"WRTE"


def test_streams_run_side_by_side(client):
    client.send(b"OPEN", 1, 0, b"shell:cat\0")
    waiting = client.receive()
    assert client.all_of("exec:echo other", 2) == b"other\n"
    client.send(b"WRTE", 1, waiting.first, b"given")
    assert client.receive().command == b"OKAY"


def packets(data):
    """Return the shell protocol's packets, by their kinds."""
    said = {1: b"", 2: b"", 3: b""}
    while data:
        kind, length = struct.unpack_from("<BI", data)
        said[kind] += data[5 : 5 + length]
        data = data[5 + length :]
    return said


def typed(text):
    return struct.pack("<BI", 0, len(text)) + text


def test_a_terminal_shows_what_is_typed(client):
    client.send(b"OPEN", 3, 0, b"shell,v2,TERM=xterm,pty:\0")
    opened = client.receive()
    client.send(b"WRTE", 3, opened.first, typed(b"echo oo\x7fne\r") + typed(b"nosuch\x03\rexit 6\r"))
    gathered = b""
    while (message := client.receive()).command != b"CLSE":
        if message.command == b"WRTE":
            gathered += message.data
            client.send(b"OKAY", 3, message.first)
    said = packets(gathered)
    assert said[3] == b"\x06" and said[2] == b""
    assert said[1].startswith(b"simulated:/ $ echo oo\b \bne\r\none\r\nsimulated:/ $ nosuch^C\r\n")


def test_a_log_that_is_followed_keeps_nobody_waiting(client, daemon):
    client.send(b"OPEN", 4, 0, b"shell:logcat\0")
    followed = client.receive()
    assert client.all_of("exec:logcat -d; echo on", 2) == b"on\n"
    client.send(b"CLSE", 4, followed.first)
    daemon.close()


def test_one_client_acts_at_a_time(daemon):
    with closing(Client(daemon)) as one, closing(Client(daemon)) as other:
        with daemon.lock:
            one.send(b"OPEN", 1, 0, b"exec:wm size\0")
            assert one.receive().command == b"OKAY"
            one.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                one.receive()
        one.socket.settimeout(10)
        assert one.receive().data == b"Physical size: 540x960\n"
        assert other.all_of("exec:echo on") == b"on\n"


def test_a_service_that_is_not_there_is_refused(client):
    client.send(b"OPEN", 5, 0, b"jdwp:1\0")
    refused = client.receive()
    assert (refused.command, refused.second) == (b"CLSE", 5)
    assert client.all_of("exec:echo on") == b"on\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        HEADER.pack(b"OPEN", 1, 0, 0, 0, 0),
        HEADER.pack(b"WRTE", 1, 0, 1 << 30, 0, int.from_bytes(b"WRTE", "little") ^ 0xFFFFFFFF),
    ],
)
def test_what_is_no_adb_ends_its_own_connection_alone(daemon, client, sent):
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as wrong:
        wrong.sendall(sent)
        assert wrong.recv(10) == b""
    assert client.all_of("exec:echo on") == b"on\n"


def test_a_wrong_checksum_ends_the_connection(daemon):
    with closing(Client(daemon, 0x01000000)) as client:
        refused(client)


def refused(client):
    wrong = bytearray(Message(b"OPEN", 1, 0, b"exec:echo\0").packed(True))
    struct.pack_into("<I", wrong, 16, 1)
    client.socket.sendall(wrong)
    with pytest.raises(EOFError):
        client.receive()


def test_only_loopback_is_served(daemon):
    assert daemon.serial.startswith("127.0.0.1:")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", daemon.port), timeout=2)


def test_a_taken_port_is_a_users_mistake(daemon, device):
    from simonides.envs.android.adbd.daemon import AdbDaemon

    with pytest.raises(UserError, match=f"Port {daemon.port} of 127.0.0.1 cannot be served"):
        AdbDaemon(device, daemon.port).start()


def test_a_file_cannot_be_sent_as_a_link(client):
    client.send(b"OPEN", 1, 0, b"sync:\0")
    opened = client.receive()
    path = b"/sdcard/link,41471"
    sent = struct.pack("<4sI", b"SEND", len(path)) + path + struct.pack("<4sI", b"DONE", 0)
    client.send(b"WRTE", 1, opened.first, sent)
    answers = [client.receive(), client.receive()]
    (said,) = [answer.data for answer in answers if answer.command == b"WRTE"]
    assert said.startswith(b"FAIL") and b"no links" in said


def test_a_device_that_goes_away_ends_the_connections(daemon, device, client):
    from simonides.envs.android.device import DeviceGone

    def gone():
        raise DeviceGone("unplugged")

    device.screenshot = gone
    client.send(b"OPEN", 1, 0, b"exec:screencap\0")
    with pytest.raises(EOFError):
        while True:
            client.receive()
