"""`simonides android serve`: a phone for people and their tools."""

from __future__ import annotations

import os
import re
import signal
import socket

from command import simonides, start


def test_serve_says_where_and_ends_with_ctrl_c(tmp_path):
    process = start("android", "serve", "--port", "0", "--seed", "4", cwd=tmp_path)
    try:
        said = [process.stdout.readline() for _ in range(3)]
        port = int(re.search(r"adb connect 127\.0\.0\.1:(\d+)", said[1]).group(1))
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            pass
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_a_users_mistake(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = simonides("android", "serve", "--port", port, cwd=tmp_path)
    assert done.returncode == 2
    assert f"Port {port} of 127.0.0.1 cannot be served: " in done.stderr
