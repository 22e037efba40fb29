"""`simonides run --runtime ray`, as a user calls it: the digest of a run in this process."""

import os

import pytest
from command import simonides, write_study


@pytest.mark.ray
@pytest.mark.slow
def test_a_run_on_a_ray_of_its_own_has_the_digest_of_one_inline(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        monkeypatch.delenv(name)
    write_study(tmp_path, seeds=2, wiring={"name": "global", "also_private": True})
    on_ray = ["--runtime", "ray", "--world-actors", 2, "--memory-actors", 2]
    done = simonides("run", "study.yaml", "--out", "ray", *on_ray, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[2/2] seed=" in done.stdout  # two run beside each other: either ends first
    assert all(f"seed={n}: done, 36 ticks" in done.stdout for n in range(2))
    assert simonides("run", "study.yaml", "--out", "inline", cwd=tmp_path).returncode == 0
    one, other = (simonides("digest", name, cwd=tmp_path).stdout for name in ("ray", "inline"))
    assert one == other != ""
