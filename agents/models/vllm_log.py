"""vLLM's log as a file of the engine's own, so that it stays off the terminal and can be asked why an engine failed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOG = "engine.log"
SETTING = "VLLM_LOGGING_CONFIG_PATH"
"""vLLM's own environment variable: a JSON file in the form of `logging.config.dictConfig`."""

ERROR = re.compile(r"(?:^|[ :])((?:\w+\.)*\w*(?:Error|Exception|Killed)): (.+)$")

WRAPPED = re.compile(r"Worker failed with error '(.+?)'(?:, please .*)?$")
"""How vLLM tells an error of one of its workers on."""


@contextmanager
def set_up(folder: Path) -> Iterator[None]:
    """Have the vLLM processes that are started meanwhile log into a folder; what the user has set stands."""
    if SETTING in os.environ:
        yield
        return
    file = folder / "logging.json"
    file.write_text(json.dumps(_configuration(folder / LOG)))
    os.environ[SETTING] = str(file)
    try:
        yield
    finally:
        os.environ.pop(SETTING, None)


def _configuration(log: Path) -> dict[str, object]:
    handler = {"class": "logging.FileHandler", "filename": str(log), "formatter": "line", "delay": True}
    line = {"format": "%(asctime)s %(levelname)s %(processName)s %(message)s"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "handlers": {"file": handler},
        "loggers": {
            "vllm": {"handlers": ["file"], "level": os.environ.get("VLLM_LOGGING_LEVEL", "INFO"), "propagate": False}
        },
    }


def last_error(log: Path, most: int = 300) -> str:
    """Return the last error that a log names, as one line, nothing when there is none.

    That an engine is dead, as those who waited for it say, is no reason.
    """
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        if (found := ERROR.search(line)) is not None and "EngineDeadError" not in found[1]:
            said = " ".join(found[2].split())
            wrapped = WRAPPED.match(said)
            return (wrapped[1] if wrapped else f"{found[1]}: {said}")[:most]
    return ""
