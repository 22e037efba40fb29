"""`dumpsys`: what services say about themselves, in the lines that clients look for."""

from __future__ import annotations

from collections.abc import Callable

from simonides.envs.android.adbd.screen import upright
from simonides.envs.android.adbd.shell import Call, command
from simonides.envs.android.adbd.system import running, whole

BATTERY = {
    "AC powered": "false", "USB powered": "true", "Wireless powered": "false", "Max charging current": "500000",
    "Max charging voltage": "5000000", "Charge counter": "4000000", "status": "5", "health": "2", "present": "true",
    "level": "100", "scale": "100", "voltage": "4400", "temperature": "250", "technology": "Li-ion",
}  # fmt: skip
"""A full battery on a cable; the simulated device does not run down."""


@command("dumpsys")
def _dumpsys(call: Call) -> int:
    words = [word for word in call.arguments if not word.startswith("-")]
    if "-l" in call.arguments:
        return call.say("Currently running services:\n" + "\n".join(f"  {name}" for name in sorted(SERVICES)))
    if not words:
        return call.complain("dumpsys: name a service; -l lists them")
    if words[0] not in SERVICES:
        return call.complain(f"Can't find service: {words[0]}", 0)
    return call.say(SERVICES[words[0]](call, words[1:]))


def _display(call: Call, words: list[str]) -> str:
    (wide, tall), quarter = call.device.size, call.device.rotation
    now_wide, now_tall = call.device.size
    return (
        "DISPLAY MANAGER (dumpsys display)\n"
        f"  mViewports=[DisplayViewport{{type=INTERNAL, valid=true, isActive=true, displayId=0, uniqueId='local:0', "
        f"physicalPort=0, orientation={quarter}, logicalFrame=Rect(0, 0 - {now_wide}, {now_tall}), "
        f"physicalFrame=Rect(0, 0 - {now_wide}, {now_tall}), deviceWidth={wide}, deviceHeight={tall}}}]\n"
        "  mScreenState=ON"
    )


def _window(call: Call, words: list[str]) -> str:
    package, activity = call.device.current()
    name = whole(package, activity)
    wide, tall = upright(call.device)
    return (
        "WINDOW MANAGER WINDOWS (dumpsys window windows)\n"
        f"  init={wide}x{tall} cur={call.device.size[0]}x{call.device.size[1]}\n"
        f"  mCurrentFocus=Window{{a1b2c3d u0 {name}}}\n"
        f"  mFocusedApp=ActivityRecord{{d3c2b1a u0 {package}/{activity} t1}}\n"
        f"  mCurrentRotation=ROTATION_{call.device.rotation * 90}\n"
        f"  mRotation={call.device.rotation}\n"
        "  mDreamingLockscreen=false"
    )


def _activity(call: Call, words: list[str]) -> str:
    package, activity = call.device.current()
    process = running(call.target)[package]
    return (
        "ACTIVITY MANAGER ACTIVITIES (dumpsys activity activities)\n"
        f"  ACTIVITY {package}/{activity} a1b2c3d pid={process}\n"
        f"  mResumedActivity: ActivityRecord{{d3c2b1a u0 {package}/{activity} t1}}\n"
        f"  topResumedActivity=ActivityRecord{{d3c2b1a u0 {package}/{activity} t1}}"
    )


def _input_method(call: Call, words: list[str]) -> str:
    shown = any(root.package.endswith("inputmethod.latin") for root in call.device.windows())
    return f"Current Input Method Manager state:\n  mInputShown={str(shown).lower()}\n  mServedView=null"


def _input(call: Call, words: list[str]) -> str:
    wide, tall = upright(call.device)
    return (
        "INPUT MANAGER (dumpsys input)\n    Viewport INTERNAL: displayId=0\n"
        f"      PhysicalWidth: {wide}px\n      PhysicalHeight: {tall}px\n"
        f"      SurfaceWidth: {wide}px\n      SurfaceHeight: {tall}px\n      SurfaceOrientation: {call.device.rotation}"
    )


def _power(call: Call, words: list[str]) -> str:
    return "POWER MANAGER (dumpsys power)\n  mWakefulness=Awake\n  mHoldingDisplaySuspendBlocker=true"


def _battery(call: Call, words: list[str]) -> str:
    return "Current Battery Service state:\n" + "\n".join(f"  {name}: {value}" for name, value in BATTERY.items())


def _package(call: Call, words: list[str]) -> str:
    if not words or words[0] not in call.device.packages():
        return f"Unable to find package: {' '.join(words)}"
    name = words[0]
    return (
        f"Packages:\n  Package [{name}] (a1b2c3d):\n    codePath=/system/app/{name}\n    versionCode=1 minSdk=24 "
        "targetSdk=34\n    versionName=1.0\n    firstInstallTime=2026-01-01 00:00:00\n"
        "    lastUpdateTime=2026-01-01 00:00:00\n    signatures=PackageSignatures{a1b2c3d version:3, signatures:[0], "
        "past signatures:[]}\n    pkgFlags=[ SYSTEM HAS_CODE ]"
    )


def _surface_flinger(call: Call, words: list[str]) -> str:
    return 'Display 0 (HWC display 0): port=0 pnpId=SIM displayName="simulated"'


SERVICES: dict[str, Callable[[Call, list[str]], str]] = {
    "display": _display, "window": _window, "activity": _activity, "input_method": _input_method, "input": _input,
    "power": _power, "battery": _battery, "package": _package, "SurfaceFlinger": _surface_flinger,
}  # fmt: skip
