"""Hung code is killed with its host, on Ray too; Ray without a token is refused."""

import pytest
from toys import toy_study

from simonides.cluster.runtime import require_token, run_ray
from simonides.sim.config import Layout, parse_study
from simonides.sim.errors import UserError


@pytest.mark.ray
@pytest.mark.parametrize("wiring", ["global", "private"])
def test_code_that_spins_for_ever_is_killed_and_only_its_trial_fails(tmp_path, ray_session, wiring):
    fields = toy_study(memory="breaking:Spins", wiring=wiring, time_limit=3.0)
    (trial,) = parse_study(fields).trials()
    outcome = run_ray(trial, tmp_path / "hung", Layout(runtime="ray", memory_actors=1))
    assert len(outcome.errors) == 1
    assert "did not answer for 3 s" in outcome.errors[0]
    assert not outcome.reproducible


@pytest.mark.ray
def test_a_part_that_raises_ends_its_trial_with_one_line_and_the_digest_of_inline(tmp_path, ray_session):
    from simonides.sim.inline import run_inline
    from simonides.sim.trace import Trace

    (trial,) = parse_study(toy_study(memory="breaking:Raises", wiring="private", time_limit=60.0)).trials()
    outcome = run_ray(trial, tmp_path / "ray", Layout(runtime="ray", world_actors=2, private="actors"))
    assert any("the toy memory breaks here" in line for line in outcome.errors)
    run_inline(trial, tmp_path / "inline")
    assert Trace(tmp_path / "ray").digest() == Trace(tmp_path / "inline").digest()


def test_a_cluster_without_a_token_is_refused_in_one_line(monkeypatch):
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(UserError, match="without a token"):
        require_token("10.0.0.1:6379")


def test_a_ray_of_our_own_gets_a_new_token_of_mode_600(monkeypatch, tmp_path):
    import sys
    from pathlib import Path

    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix: str(tmp_path))
    require_token(None)
    import os

    token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
    assert token.stat().st_mode & 0o777 == 0o600
    assert len(token.read_text()) == 64
    monkeypatch.delenv("RAY_AUTH_MODE")
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH")
