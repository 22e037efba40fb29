"""Let MetaDrive start without its pictures: a folder of our own with what it looks for, and no file of its changed.

MetaDrive fetches 200 MB of models and textures at its first start, for its 3D renderer. Physics, lidar and pictures
from above need none of them; what MetaDrive looks for is its version in `version.txt` and that one texture exists.
Both are written here, to the user's cache, and MetaDrive is told in this process to look there. An installation that
has its assets keeps using them.
"""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from simonides.sim.errors import DataError, MissingExtra
from simonides.sim.usercache import user_cache

SUPPORTED = "0.4.3"
TEXTURE = "textures/grass1/GroundGrassGreen002_COL_1K.jpg"
FILES: dict[str, bytes] = {
    "version.txt": SUPPORTED.encode(),
    TEXTURE: b"",
}
"""Path below the folder -> content."""

SHA256 = {
    "version.txt": "0d7d4a7e618dcfadd92b24ffcef907da7622fc770819e2093af9399f37e6a8a2",
    TEXTURE: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}


def asset_folder() -> Path:
    """Return the folder with what MetaDrive looks for, written at first use under a lock and checked at every one.

    Raises MissingExtra for another version of MetaDrive, DataError when a file there is not what was written.
    """
    found = version("metadrive-simulator")
    if found != SUPPORTED:
        raise MissingExtra(
            f"metadrive-simulator {found} is installed, but only {SUPPORTED} is known to start without its assets: "
            f"pip install 'simonides[metadrive]'."
        )
    folder = user_cache() / "metadrive" / SUPPORTED
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        for name, content in FILES.items():
            _write(folder / name, content)
    for name, expected in SHA256.items():
        _check(folder / name, expected)
    return folder


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    os.replace(part, path)


def _check(path: Path, expected: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise DataError(
            f"{path} has sha256 {found}, not {expected}: something else wrote it. Remove the folder: it is made again."
        )


def start_offline() -> None:
    """Point MetaDrive, in this process, to `asset_folder()`; call it before an engine is made.

    Does nothing where the installed package has assets of its own.
    """
    import metadrive.engine.asset_loader as loader
    import metadrive.engine.base_engine as engine
    import metadrive.version as versions

    own = Path(versions.__file__).parent / "assets" / "version.txt"
    if own.is_file():
        return
    loader.AssetLoader.asset_path = type(loader.AssetLoader.asset_path)(asset_folder())
    for module in (versions, loader, engine):
        module.asset_version = _version


def _version() -> str:
    return SUPPORTED
