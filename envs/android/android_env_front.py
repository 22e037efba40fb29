"""google-deepmind's android_env over any `Device`: a simulated one in this process, or one behind adb.

env = make_android_env(phone(seed=3))
env.reset()
env.step({"action_type": np.array(0), "touch_position": np.array([0.5, 0.5])})
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import adbutils
import dm_env
import numpy as np
from android_env.components import (
    adb_controller,
    config_classes,
    coordinator,
    device_settings,
    errors,
    log_stream,
    task_manager,
)
from android_env.components.simulators import base_simulator
from android_env.environment import AndroidEnv
from android_env.proto import state_pb2, task_pb2

from simonides.envs.android.adb_device import AdbDevice
from simonides.envs.android.adbd import terminal  # noqa: F401  (it brings the commands)
from simonides.envs.android.adbd.shell import Shell, Target
from simonides.envs.android.device import Device, DeviceGone, Pixels, SimulatedDevice
from simonides.envs.android.gestures import stroke

STEP_MILLISECONDS = 100
"""GUESS: how long a finger stays for each step of the environment: six in place are a long press."""


class ShellController(adb_controller.AdbController):  # type: ignore[misc]  # android_env has no types
    """adb commands for a simulated device in this process: no adb program and no daemon takes part."""

    def __init__(self, target: Target) -> None:
        # the other way would take ANDROID_HOME and ANDROID_ADB_SERVER_PORT out of this process's environment
        super().__init__(config_classes.AdbControllerConfig(use_adb_server_port_from_os_env=True))
        self._target = target

    def execute_command(
        self, args: list[str], timeout: float | None = None, device_specific: bool = True
    ) -> bytes:  # fmt: skip
        """Return what a command writes. Raises AdbControllerError for one that fails."""
        match args:
            case ["shell", *words]:
                status, out, _ = Shell(self._target).run(" ".join(words), merged=True)
            case ["push", source, target]:
                with self._target.lock:
                    self._target.files.write(self._target.files.absolute(target), Path(source).read_bytes())
                return b""
            case ["pull", source, target]:
                with self._target.lock:
                    Path(target).write_bytes(self._target.files.read(self._target.files.absolute(source)))
                return b""
            case ["devices" | "start-server" | "kill-server"]:
                return b""
            case _:
                raise errors.AdbControllerError(f"A simulated device has no `adb {' '.join(args)}`.")
        if status:
            raise errors.AdbControllerError(f"adb {' '.join(args)}: status {status}: {out.decode(errors='replace')}")
        return out


class ServerController(adb_controller.AdbController):  # type: ignore[misc]  # android_env has no types
    """adb commands for a device behind an adb server, with Debian's or Google's adb program."""

    def __init__(self, device: AdbDevice) -> None:
        super().__init__(
            config_classes.AdbControllerConfig(
                adb_path=adbutils.adb_path(), device_name=device.serial, use_adb_server_port_from_os_env=True
            )
        )
        self._os_env_vars["ANDROID_ADB_SERVER_PORT"] = str(device.server_port)

    def _restart_server(self, timeout: float | None = None) -> None:
        """Leave the server alone: others use it."""


class QuietLog(log_stream.LogStream):  # type: ignore[misc]  # android_env has no types
    """The log of a device that logs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._stopped = threading.Event()

    def _get_stream_output(self) -> Iterator[str]:
        self._stopped.wait()
        yield from ()

    def stop_stream(self) -> None:
        """End the stream."""
        self._stopped.set()


class DeviceSimulator(base_simulator.BaseSimulator):  # type: ignore[misc]  # android_env has no types
    """An android_env simulator that is a `Device`.

    What a finger does shows when it is lifted: it is then known to be a tap, a long press or a swipe. REPEAT steps
    count as time in which it stays; several fingers are not told apart, the first one counts.
    """

    def __init__(self, device: Device, step_milliseconds: int = STEP_MILLISECONDS) -> None:
        super().__init__(config_classes.SimulatorConfig())
        self.device = device
        self._step = step_milliseconds
        self._course: list[tuple[int, int]] = []
        self._steps = 0
        self._states: dict[str, bytes] = {}
        self._target = None if isinstance(device, AdbDevice) else Target(device, "simulated")  # type: ignore[arg-type]

    def start_over(self, state: bytes) -> None:
        """Go back to a state of the simulated device, with no finger on its screen."""
        device = self._simulated()
        if device is not None:
            device.restore(state)
        self._course = []

    def adb_device_name(self) -> str:
        """Return the serial number."""
        return self.device.serial if isinstance(self.device, AdbDevice) else "simulated"

    def create_adb_controller(self) -> adb_controller.AdbController:
        """Return what runs adb commands on the device."""
        if isinstance(self.device, AdbDevice):
            return ServerController(self.device)
        assert self._target is not None
        return ShellController(self._target)

    def create_log_stream(self) -> log_stream.LogStream:
        """Return the device's log: an empty one."""
        return QuietLog()

    def _launch_impl(self) -> None:
        """Begin with no finger on the screen; the device runs already."""
        self._course = []

    def send_touch(self, touches: list[tuple[int, int, bool, int]]) -> None:
        """Take one event of the first finger. Raises SendActionError when the device is gone."""
        x, y, down, _ = touches[0]
        if down:
            if not self._course:
                self._steps = 0
            self._course.append((int(x), int(y)))
            return
        course, self._course = self._course, []
        if course:
            self._do(lambda: stroke(self.device, course, self._steps * self._step))

    def send_key(self, keycode: np.int32, event_type: str) -> None:
        """Press one of Android's keys when it goes up. Raises SendActionError when the device is gone."""
        if event_type in ("keyup", "keypress"):
            self._do(lambda: self.device.key(int(keycode)))

    def _do(self, act: object) -> None:
        try:
            act()  # type: ignore[operator]
        except DeviceGone as gone:
            raise errors.SendActionError(str(gone)) from gone

    def _get_screenshot_impl(self) -> Pixels:
        """Return uint8[height, width, 3]; one is taken each step, so they count a finger's time."""
        self._steps += 1
        try:
            return self.device.screenshot()
        except DeviceGone as gone:
            raise errors.ReadObservationError(str(gone)) from gone

    def save_state(self, request: state_pb2.SaveStateRequest) -> state_pb2.SaveStateResponse:
        """Keep the device's whole state under args["snapshot_name"]."""
        device = self._simulated()
        if device is None:
            return super().save_state(request)
        self._states[request.args["snapshot_name"]] = device.snapshot()
        return state_pb2.SaveStateResponse(status=state_pb2.SaveStateResponse.Status.OK)

    def load_state(self, request: state_pb2.LoadStateRequest) -> state_pb2.LoadStateResponse:
        """Go back to the state kept under args["snapshot_name"]."""
        device, name = self._simulated(), request.args["snapshot_name"]
        if device is None:
            return super().load_state(request)
        if name not in self._states:
            status = state_pb2.LoadStateResponse.Status.NOT_FOUND
            return state_pb2.LoadStateResponse(status=status, error_message=f"No state is called {name!r}.")
        device.restore(self._states[name])
        return state_pb2.LoadStateResponse(status=state_pb2.LoadStateResponse.Status.OK)

    def _simulated(self) -> SimulatedDevice | None:
        return self._target.device if self._target is not None else None


class EpisodicAndroidEnv(AndroidEnv):  # type: ignore[misc]  # android_env has no types
    """An AndroidEnv whose every episode begins with the state in which the simulated device was handed over."""

    def __init__(self, simulator: DeviceSimulator, coordinated: Any, tasks: Any, state: bytes) -> None:
        super().__init__(simulator=simulator, coordinator=coordinated, task_manager=tasks)
        self._start_over = partial(simulator.start_over, state)

    def reset(self) -> dm_env.TimeStep:
        """Begin an episode."""
        self._start_over()
        return super().reset()


def make_android_env(
    device: Device,
    task: task_pb2.Task | None = None,
    step_milliseconds: int = STEP_MILLISECONDS,
    key_events: bool = True,
    start_over: bool = True,
) -> AndroidEnv:
    """Return an AndroidEnv over a device: a `SimulatedDevice` in this process, or an `AdbDevice`.

    With `start_over` each episode on a simulated device begins with the state that it is in now; a real phone goes on.

    Actions are android_env's: `action_type` (TOUCH 0, LIFT 1, REPEAT 2, with `key_events` also KEYDOWN 3, KEYUP 4,
    KEYPRESS 5 with `keycode`) and `touch_position` in [0, 1]^2. Observations: `pixels` uint8[height, width, 3],
    `timedelta` int64 in microseconds, `orientation` uint8[4] one-hot.
    """
    again = start_over and not isinstance(device, AdbDevice)
    state = device.snapshot() if again else b""  # type: ignore[attr-defined]  # a simulated one has states
    simulator = DeviceSimulator(device, step_milliseconds)
    tasks = task_manager.TaskManager(task or task_pb2.Task(id="simonides", name="A phone without a task"))
    config = config_classes.CoordinatorConfig(enable_key_events=key_events)
    coordinated = coordinator.Coordinator(simulator, tasks, device_settings.DeviceSettings(simulator), config)
    if again:
        return EpisodicAndroidEnv(simulator, coordinated, tasks, state)
    return AndroidEnv(simulator=simulator, coordinator=coordinated, task_manager=tasks)
