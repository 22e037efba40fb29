"""Embodied manipulation on MuJoCo: arms, lidded bins and objects, where memory decides which one to reach for."""

import os

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("MUJOCO_GL", "egl")  # MuJoCo reads it when it is imported; its default needs a screen
