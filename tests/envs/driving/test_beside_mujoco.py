"""MetaDrive's engine and MuJoCo's pictures live in one process, whichever comes first."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("simonides.envs.driving.metadrive_world", reason="needs the extra metadrive", exc_type=ImportError)
pytest.importorskip("metaworld", reason="needs the extra manipulation")

BOTH = """
from simonides.sim.registry import registry
for name in ("metadrive", "manipulation", "metadrive"):
    env = registry("environment").build(name, {}, seed=1, world=0)
    env.reset(seed=1)
    assert env.render().std() > 0, name
    env.close()
print("drawn")
"""


def test_manipulation_draws_after_metadrive_has_started():
    done = subprocess.run([sys.executable, "-c", BOTH], capture_output=True, text=True, timeout=200, check=False)
    assert done.stdout.strip().endswith("drawn"), done.stderr[-800:]
