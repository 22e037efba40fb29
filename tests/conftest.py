"""One Ray for the whole session, in a folder of its own, and one cluster of three nodes for the tests that kill."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from toys import RAY_ENVIRONMENT


@pytest.fixture(scope="session")
def ray_session():
    """A local Ray without dashboard; ended by its own handle."""
    os.environ.update(RAY_ENVIRONMENT)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).parent / "support"), os.environ.get("PYTHONPATH", "")]
    )
    import ray

    folder = tempfile.mkdtemp(prefix="r")
    ray.init(
        num_cpus=4,
        num_gpus=0,
        include_dashboard=False,
        object_store_memory=100 << 20,
        log_to_driver=False,
        configure_logging=False,
        _temp_dir=folder,
    )
    os.environ.pop("PYTHONBREAKPOINT", None)  # Ray puts its own debugger there, for every later subprocess as well
    yield ray
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh_modules():
    """Restore sys.modules and sys.path after a test that imports things."""
    modules, path = dict(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]
