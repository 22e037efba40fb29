"""Run commands of the command line as children of a process that has imported it: seconds of imports are paid once.

As a script it is that process. A line of JSON asks for a command; a line with the child's process comes back, and one
with its exit status when it has ended. Nothing that starts threads is imported before the fork.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

MODULE = "simonides.experiments"


class Forked:
    """The process that has imported the command line; started with the first command, ended with this one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(
        self, words: Sequence[str], cwd: Path, env: Mapping[str, str], timeout: float, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, like subprocess.run. Raises TimeoutExpired after `timeout` seconds."""
        with tempfile.TemporaryDirectory() as folder:
            files = [str(Path(folder) / name) for name in ("in", "out", "err")]
            Path(files[0]).write_text(text)
            asked = {"words": list(words), "cwd": str(cwd), "env": dict(env), "files": files}
            status = self._ask(asked, timeout)
            out, err = (Path(name).read_text() for name in files[1:])
        return subprocess.CompletedProcess([MODULE, *words], status, out, err)

    def _ask(self, asked: Mapping[str, object], timeout: float) -> int:
        process = self._started(asked["env"])
        print(json.dumps(asked), file=process.stdin, flush=True)
        child = int(process.stdout.readline())
        late = not select.select([process.stdout], [], [], timeout)[0]
        if late:
            os.kill(child, signal.SIGKILL)
        status = int(process.stdout.readline())
        if late:
            raise subprocess.TimeoutExpired(asked["words"], timeout)
        return status

    def _started(self, env: Mapping[str, str]) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, __file__], env={**env, "OPENBLAS_NUM_THREADS": "1"}, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            atexit.register(self._end, self._process)
        return self._process

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        process.stdin.close()
        process.wait()
        process.stdout.close()


# --- the process ------------------------------------------------------------------------------------------------------


def serve(asking: IO[str]) -> Mapping[str, object] | None:
    """Fork a child for every line until there are no more; return, in a child, what it is to do."""
    while line := asking.readline():
        child = os.fork()
        if child == 0:
            return json.loads(line)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return None


def become(asked: Mapping[str, object]) -> None:
    """Make this process like one that was started with `python -m`, and run the command."""
    for number, name in enumerate(asked["files"]):
        file = os.open(name, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.path[0], sys.argv = asked["cwd"], ["simonides", *asked["words"]]
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    import gymnasium  # noqa: F401
    import networkx  # noqa: F401

    import simonides.experiments.cli
    import simonides.experiments.execute  # noqa: F401

    if (found := serve(sys.stdin)) is not None:
        become(found)
