"""Devices by name."""

from __future__ import annotations

import sys

import pytest

from simonides.envs.android.devices import device_of
from simonides.sim.errors import MissingExtra, UserError


def test_a_simulated_phone_is_made_from_its_seed():
    assert device_of("simulated", 3).windows() == device_of("simulated", 3).windows()


def test_a_serial_number_is_connected(adb, daemon, device):
    pytest.importorskip("adbutils", reason="needs the extra: pip install 'simonides[android]'")
    assert device_of(f"adb:{daemon.serial}").windows() == tuple(device.windows())


@pytest.mark.parametrize("name", ["simulate", "adb:", "R58M123ABC"])
def test_another_name_is_a_users_mistake(name):
    with pytest.raises(UserError, match="Known: simulated, adb:SERIAL"):
        device_of(name)


def test_a_missing_library_names_its_extra(monkeypatch, fresh_modules):
    monkeypatch.setitem(sys.modules, "simonides.envs.android.adb_device", None)
    with pytest.raises(MissingExtra, match=r"simonides\[android\]"):
        device_of("adb:x")
