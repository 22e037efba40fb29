"""Where the published data sets are, for tests that check us against their authors' numbers."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder named by SIMONIDES_DATA; skips where it is unset."""
    folder = os.environ.get("SIMONIDES_DATA")
    if not folder:
        pytest.skip("SIMONIDES_DATA is not set; it names the folder of published data sets")
    return Path(folder)
