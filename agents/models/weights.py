"""Say where a model's weights lie and which they are, from its name alone; nothing is loaded."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from simonides.agents.models import prepared
from simonides.sim.errors import ModelFailed, UserError, near

SAMPLES = 64
"""Places at which a file of weights is read for its fingerprint: fine-tuning moves weights all over a file."""

SAMPLE = 1 << 12
"""Bytes read at each of them."""

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")


def locate(model: str) -> str:
    """Return the folder of a model, or its hub id: of a prepared model's name, a folder's path, or "org/name".

    Raises ModelFailed for a folder that is missing or holds no model, and for a name that is not prepared.
    """
    if model in prepared.PACKAGED:
        try:
            return str(prepared.folder_of(model))
        except UserError as error:
            raise ModelFailed(str(error)) from None
    path = Path(model).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelFailed(f"{path} is no model's folder: it has no config.json.")
        return str(path)
    if model.count("/") == 1 and not model.startswith((".", "/", "~")):
        return model
    raise ModelFailed(
        f"No model's folder is at {path}.{near(model, prepared.PACKAGED)} "
        f"Give a folder, an id such as org/name, or one of: {', '.join(sorted(prepared.PACKAGED))}."
    )


def identity_of(model: str, revision: str | None = None) -> str:
    """Return what names the weights of a model: equal weights, equal names, wherever they lie.

    A prepared model has the hash of its source, a folder its own name and the fingerprint of its files, a hub id its
    revision. A path that cannot be seen from here stands for itself.
    """
    if model in prepared.PACKAGED:
        return prepared.PACKAGED[model].identity
    path = Path(model).expanduser()
    if path.is_dir():
        return f"{path.resolve().name}@{fingerprint(path)[:12]}"
    return f"{model}@{revision}" if revision else model


def fingerprint(folder: Path) -> str:
    """Return a sha256, as hex, over a model's folder: small files whole, weights by size and evenly spaced samples."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix not in (*WEIGHTS, ".json", ".jinja", ".model", ".txt") or not path.is_file():
            continue
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if path.suffix not in WEIGHTS or size <= SAMPLES * SAMPLE:
                digest.update(file.read())
                continue
            for i in range(SAMPLES):
                digest.update(os.pread(file.fileno(), SAMPLE, (size - SAMPLE) * i // (SAMPLES - 1)))
    return digest.hexdigest()
