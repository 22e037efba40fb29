"""What is known of a served model that was not started; what is left of an engine ends with its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from simonides.agents.models.orphans import Watchman, marked
from simonides.agents.models.vllm import VLLMModel
from simonides.agents.models.vllm_log import last_error
from simonides.sim.errors import UserError


def test_an_adapter_without_a_folder_is_a_mistake_of_the_study():
    with pytest.raises(UserError, match=r"no adapter is called 'helpfull'\. Did you mean 'helpful'"):
        VLLMModel(model="m", adapters={"helpful": "/x"}, adapter="helpfull")


def test_the_identity_says_what_decides_the_replies_and_nothing_else():
    assert VLLMModel(model="a/b", dtype="bfloat16").card.identity == "a/b bfloat16"
    assert VLLMModel(model="a/b", identity="mine", revision="r").card.identity == "mine"
    whole = VLLMModel(model="a/b", revision="r1", adapters={"x": "/x"}, adapter="x", tensor_parallel_size=2)
    assert whole.card.identity == "a/b auto revision=r1 adapter=x"


@pytest.mark.parametrize(
    "lines, said",
    [
        (["ERROR EngineCore ValueError: too  little", "INFO gone", "EngineDeadError: dead"], "ValueError: too little"),
        (
            ["RuntimeError: Worker failed with error 'No room (1 GiB). Ask less.', please check it"],
            "No room (1 GiB). Ask less.",
        ),
        (["INFO all is well"], ""),
    ],
)
def test_the_last_error_of_an_engines_log_is_the_reason_without_its_wrapping(tmp_path, lines, said):
    (tmp_path / "engine.log").write_text("\n".join(lines))
    assert last_error(tmp_path / "engine.log") == said
    assert last_error(tmp_path / "none.log") == ""


OWNER = """
import subprocess, sys, time
from simonides.agents.models.orphans import Watchman
watchman = Watchman(sys.argv[1])
with watchman.marking():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""


def test_what_carries_the_mark_ends_when_its_owner_is_killed():
    name = f"simonides-test-{os.getpid()}"
    owner = subprocess.Popen([sys.executable, "-c", OWNER, name], stdout=subprocess.PIPE, start_new_session=True)
    assert owner.stdout.readline() == b"ready\n"
    assert len(marked(name)) == 1
    os.killpg(owner.pid, signal.SIGKILL)
    owner.communicate()
    ends = time.monotonic() + 20
    while marked(name) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not marked(name)


def test_a_released_watchman_leaves_nothing_behind():
    watchman = Watchman("simonides-test-released")
    with watchman.marking():
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    watchman.release()
    assert left.wait(timeout=20) == -signal.SIGKILL
