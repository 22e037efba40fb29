"""Find the folder in which one user's runs share what is costly to make: vectors, data sets, prepared models."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path:
    """Return `SIMONIDES_CACHE`, or else `simonides` in the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`)."""
    own = os.environ.get("SIMONIDES_CACHE")
    home = own or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/simonides"
    return Path(home).expanduser().resolve()
