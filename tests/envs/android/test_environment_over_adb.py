"""The environment `android` on a phone behind adb: what is done with a real one."""

from __future__ import annotations

import json
import sys

import pytest

from simonides.envs.android.elements import Screen
from simonides.envs.android.memory import android
from simonides.sim.errors import MissingExtra

DOINGS = (
    {"action_type": "open_app", "app_name": "Notes"},
    {"action_type": "navigate_home"},
    {"action_type": "scroll", "direction": "down"},
    {"action_type": "open_app", "app_name": "Clock"},
    {"action_type": "wait"},
)


def test_it_shows_what_the_phone_shows_after_every_action(adb, daemon, device):
    pytest.importorskip("adbutils", reason="needs the extra: pip install 'simonides[android]'")
    env = android(device=f"adb:{daemon.serial}", instruction='Open "Notes"', ticks=len(DOINGS) + 1)
    (agent,), (_, infos) = env.possible_agents, env.reset(seed=1)
    assert any("Notes" in one["text"] for one in infos[agent]["legal_actions"])
    for doing in DOINGS:
        _, _, _, _, infos = env.step({agent: json.dumps(doing)})
        assert not infos[agent].get("illegal")
        assert Screen.of(device).words() in infos[agent]["text"]
    env.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_phone_that_goes_away_ends_the_episode_as_failed(adb, daemon):
    pytest.importorskip("adbutils", reason="needs the extra: pip install 'simonides[android]'")
    env = android(device=f"adb:{daemon.serial}", instruction='Open "Notes"', ticks=9)
    (agent,), _ = env.possible_agents, env.reset(seed=1)
    daemon.close()
    _, _, terminated, truncated, infos = env.step({agent: '{"action_type": "navigate_home"}'})
    assert terminated[agent] or truncated[agent]
    assert "does not answer" in infos[agent]["failed"]


def test_a_missing_library_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "simonides.envs.android.adb_device", None)
    with pytest.raises(MissingExtra, match=r"pip install 'simonides\[android\]'"):
        android(device="adb:R58M123ABC", instruction="Open Notes").reset(seed=1)
