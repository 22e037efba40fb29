"""The digest on a cluster of three nodes equals the one inline."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from toys import RAY_ENVIRONMENT, toy_study

from simonides.sim.config import parse_study
from simonides.sim.inline import run_inline
from simonides.sim.trace import Trace

pytestmark = pytest.mark.ray


def test_three_nodes_give_the_digest_of_one_process(tmp_path):
    study = parse_study(toy_study(wiring={"name": "global", "also_private": True}))
    (tmp_path / "study.json").write_text(study.model_dump_json())
    here = Path(__file__).parent
    ours = tempfile.mkdtemp(prefix="c")  # socket paths must stay short, so not under tmp_path
    (Path(ours) / "ray").mkdir()
    environment = {**os.environ, **RAY_ENVIRONMENT, "PYTHONPATH": str(here.parent / "support"), "RAY_TMPDIR": ours}
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("0" * 64)
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    command = [sys.executable, str(here / "three_nodes.py"), str(tmp_path / "study.json"), str(tmp_path / "cluster")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    shutil.rmtree(ours, ignore_errors=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["nodes"] == 3
    assert told["errors"] == []
    (trial,) = study.trials()
    run_inline(trial, tmp_path / "inline")
    assert Trace(tmp_path / "cluster").digest() == Trace(tmp_path / "inline").digest()
