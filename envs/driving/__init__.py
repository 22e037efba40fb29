"""Driving where memory decides the route: trips over named junctions, in highway-env and in MetaDrive."""

from contextlib import suppress
from importlib.util import find_spec

if find_spec("metadrive") is not None and find_spec("mujoco") is not None:
    # MetaDrive's Panda3D and MuJoCo both draw by EGL. Where Panda3D is imported first, MuJoCo is refused a display in
    # the same process (EGL_BAD_DISPLAY); the other way round both draw. Without EGL, pictures say so when asked for.
    with suppress(ImportError, AttributeError):
        import simonides.envs.manipulation.cell  # noqa: F401
