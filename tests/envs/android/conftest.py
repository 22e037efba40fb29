"""A simulated phone, its daemon, and an adb server of the tests' own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess

import pytest

from simonides.envs.android.simulated.apps import phone


@pytest.fixture
def device():
    """The phone of one seed, with all its apps."""
    return phone(3)


@pytest.fixture
def daemon(device):
    """A daemon that serves the phone."""
    from simonides.envs.android.adbd.daemon import AdbDaemon

    with AdbDaemon(device) as served:
        yield served


@pytest.fixture(scope="session")
def adb_server(tmp_path_factory):
    """Start an adb server on a port of its own, and end that one; return a function that runs `adb`."""
    if shutil.which("adb") is None:
        pytest.skip("adb is not installed: apt install adb (Debian's package)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    before = os.environ.get("ANDROID_ADB_SERVER_PORT")
    os.environ["ANDROID_ADB_SERVER_PORT"] = str(port)  # adbutils, uiautomator2 and adb itself read it

    def adb(*words, **more):
        environment = {**os.environ, "HOME": str(home)}
        return subprocess.run(["adb", *words], capture_output=True, timeout=60, env=environment, **more)

    adb("-P", str(port), "start-server")
    yield adb
    adb("-P", str(port), "kill-server")
    if before is None:
        del os.environ["ANDROID_ADB_SERVER_PORT"]
    else:
        os.environ["ANDROID_ADB_SERVER_PORT"] = before


@pytest.fixture
def adb(adb_server, daemon):
    """Connect the adb server to the daemon; return a function that runs `adb -s` that device."""
    assert b"connected to" in adb_server("connect", daemon.serial).stdout
    yield lambda *words, **more: adb_server("-s", daemon.serial, *words, **more)
    adb_server("disconnect", daemon.serial)
