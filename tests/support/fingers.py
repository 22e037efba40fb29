"""Find things on a phone's screen, and do them through android_env."""

from __future__ import annotations

import numpy as np


def found(device, wanted):
    """Return the middle of the first element that has what is wanted."""
    for root in device.windows():
        for node in root.walk():
            named = node.resource_id.partition(":id/")[2]
            if all((named if key == "resource_id" else getattr(node, key)) == value for key, value in wanted.items()):
                left, top, right, bottom = node.bounds
                return (left + right) // 2, (top + bottom) // 2
    raise AssertionError(f"nothing on the screen has {wanted}")


def touch(env, size, course, repeats):
    for place in course:
        step(env, 0, place, size)
    for _ in range(repeats):
        step(env, 2, course[-1], size)
    step(env, 1, course[-1], size)


def step(env, kind, place, size, keycode=0):
    position = np.array([(place[0] + 0.5) / size[0], (place[1] + 0.5) / size[1]], np.float32)
    return env.step({"action_type": np.array(kind), "touch_position": position, "keycode": np.array(keycode)})


def adb_call(env, *words):
    from android_env.proto import adb_pb2

    answer = env.execute_adb_call(adb_pb2.AdbRequest(generic=adb_pb2.AdbRequest.GenericRequest(args=words)))
    assert answer.status == adb_pb2.AdbResponse.Status.OK, answer.error_message
    return answer.generic.output.decode()
