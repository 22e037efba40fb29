"""Find the device that a few words name: a simulated phone in this process, or one behind adb."""

from __future__ import annotations

from importlib import import_module

from simonides.envs.android.device import Device
from simonides.sim.errors import MissingExtra, UserError, near

ADB = "adb:"


def device_of(name: str, seed: int = 0) -> Device:
    """Return the device called "simulated" (a new phone of `seed`) or "adb:SERIAL" (a serial as `adb devices` says it).

    Raises UserError for any other name, MissingExtra if adbutils is not installed, DeviceGone if adb does not reach it.
    """
    if name == "simulated":
        made: Device = import_module("simonides.envs.android.simulated.apps").phone(seed)
        return made
    serial = name.removeprefix(ADB)
    if not name.startswith(ADB) or not serial:
        known = "simulated, adb:SERIAL"
        raise UserError(f"No device is called {name!r}.{near(name, ['simulated'])} Known: {known}.")
    try:
        found: Device = import_module("simonides.envs.android.adb_device").AdbDevice(serial)
    except ModuleNotFoundError as error:
        raise MissingExtra(f"The device {name!r} needs {error.name}: pip install 'simonides[android]'.") from None
    return found
