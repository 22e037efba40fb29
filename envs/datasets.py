"""The public data sets that the loaders read: what they are, where they lie, and fetching them when asked.

Nothing is fetched unless somebody calls `fetch` and accepts the publisher's licence. A file's sha256 is compared with
the catalogue's, or, where the publisher's is not known to us, pinned beside the file on the first fetch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from simonides.sim.errors import DataError, UnknownName, UserError, near
from simonides.sim.usercache import user_cache

UNKNOWN = "unknown until first fetch, then pinned in the cache"
ATTEMPTS = 4
CHUNK = 1 << 16

Progress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes received so far, and the bytes expected (0 if the server does not say)."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a data set: its name in the cache, the publisher's address, its sha256 or `UNKNOWN`."""

    name: str
    url: str
    sha256: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class DataSet:
    """A public data set. `environment` is the registered name of the environment that reads it."""

    name: str
    title: str
    publisher: str
    licence: str
    environment: str
    files: tuple[DataFile, ...]


_GITHUB = "https://raw.githubusercontent.com"
_BANK = f"{_GITHUB}/zhongwanjun/MemoryBank-SiliconFriend/ddd1b449926da32759d4f1ff86e69842c403be31/eval_data"
"""At the commit whose files have the sha256 given here."""
_DROID = f"{_GITHUB}/MobileLLM/AutoDroid/f605b00ccc6f3ee25d9b28f2b30b77d960214b5e"
_DROID_MEMORY = f"{_GITHUB}/MobileLLM/AutoDroid/5dc37ddecb0e50572d45a148914c0134113ed295"
"""Two commits, as no single one holds the graphs of all apps under one folder."""

_ROADS = f"{_GITHUB}/CommonRoad/commonroad-io"

CATALOGUE: dict[str, DataSet] = {
    data.name: data
    for data in (
        DataSet(
            "locomo",
            "LoCoMo: very long-term conversations with questions and evidence (Maharana et al. 2024)",
            "https://github.com/snap-research/locomo",
            "CC BY-NC 4.0 (no commercial use)",
            "locomo",
            (DataFile("locomo10.json", f"{_GITHUB}/snap-research/locomo/main/data/locomo10.json"),),
        ),
        DataSet(
            "longmemeval",
            "LongMemEval: questions over long chat histories, oracle sessions (Wu et al. 2024)",
            "https://huggingface.co/datasets/xiaowu0162/longmemeval-cleaned",
            "MIT",
            "longmemeval",
            (
                DataFile(
                    "longmemeval_oracle.json",
                    "https://huggingface.co/datasets/xiaowu0162/longmemeval-cleaned/resolve/main/longmemeval_oracle.json",
                ),
            ),
        ),
        DataSet(
            "memorybank",
            "MemoryBank: histories of simulated users with an AI companion (Zhong et al. 2023)",
            "https://github.com/zhongwanjun/MemoryBank-SiliconFriend",
            "MIT",
            "memorybank-histories",
            (
                DataFile(
                    "memory_bank_en.json",
                    f"{_BANK}/en/memory_bank_en.json",
                    "27c302202f9675d87dcaa73e3a42dc0fca8999dcff3c6e7882a787c8a08d9bc7",
                ),
                DataFile(
                    "probing_questions_en.jsonl",
                    f"{_BANK}/en/probing_questions_en.jsonl",
                    "84538a41e5a9c8000850c19008a85445b01bf52c9960c9d735d21a4b73e5c648",
                ),
                DataFile(
                    "memory_bank_cn.json",
                    f"{_BANK}/cn/memory_bank_cn.json",
                    "6098382314c7e5cf1d4564a3b587e9863b1e083f2ba56ce3fbbea68a1c91d287",
                ),
                DataFile(
                    "probing_questions_cn.jsonl",
                    f"{_BANK}/cn/probing_questions_cn.jsonl",
                    "10f26828cc14a98b6dca39223d7536b7b9af38f1fe68d7851070a64ec0339aa7",
                ),
            ),
        ),
        DataSet(
            "droidtask",
            "DroidTask: recorded Android apps, their UI transition graphs and tasks with gold steps (Wen et al. 2024)",
            "https://github.com/MobileLLM/AutoDroid",
            "MIT",
            "droidtask",
            (
                DataFile("profile_no_answer.json", f"{_DROID}/memory/profile_no_answer.json"),
                DataFile(
                    "SMS_Messenger.yaml",
                    f"{_DROID}/utgs/SMS%20Messenger/utg.yaml",
                    "f8ac30e25cd5eb557ec857baac194931507626685971860c778d4aede61e40ae",
                ),
                DataFile(
                    "app_launcher.yaml",
                    f"{_DROID_MEMORY}/memory/utgs/app%20launcher/utg.yaml",
                    "f49021267ff52c9965c60e7515fc57eed398c5346e8a32db3690b9efb71e2f4f",
                ),
                DataFile(
                    "camera.yaml",
                    f"{_DROID}/utgs/camera/utg.yaml",
                    "d52995b67e5fe89d73836a27aec4331042a7b1120535f70a60d17b75103b9e21",
                ),
                DataFile(
                    "contacts.yaml",
                    f"{_DROID_MEMORY}/memory/utgs/contacts/utg.yaml",
                    "ba689d32c6e077288e0c233ca749d7bd5f42df9860430604c561a1d9265ac668",
                ),
                DataFile(
                    "dialer.yaml",
                    f"{_DROID_MEMORY}/memory/utgs/dialer/utg.yaml",
                    "64bde257a97594b6d332a911762a03bea9cd6cf4a4d4b15ceb395c01487373e1",
                ),
                DataFile(
                    "file_manager.yaml",
                    f"{_DROID}/utgs/file%20manager/utg.yaml",
                    "5dc7333e49d4222b2738392b708a6b67b64494ec2235b15cd35db110f9a4e916",
                ),
                DataFile(
                    "firefox.yaml",
                    f"{_DROID_MEMORY}/memory/utgs/firefox/utg.yaml",
                    "214cb4b05059e85cb8be15db6d62040d2fc500a8eb3decce16971fc8ca1abc8c",
                ),
                DataFile(
                    "gallery.yaml",
                    f"{_DROID_MEMORY}/memory/utgs/gallery/utg.yaml",
                    "a15f35706d1cc03cda69bf540e2cad85c422878531e566157b6986dabf178ad5",
                ),
                DataFile(
                    "music_player.yaml",
                    f"{_DROID_MEMORY}/memory/utgs/music%20player/utg.yaml",
                    "71621026e9dc41c3d2dcf3de6a55d45077b444a08bfedabb4efaacbf7aba5204",
                ),
            ),
        ),
        DataSet(
            "commonroad",
            "CommonRoad scenarios: traffic recorded by NGSIM on the US 101, and simulated (Althoff et al. 2017)",
            "https://github.com/CommonRoad/commonroad-io",
            "BSD-3-Clause",
            "commonroad",
            (
                DataFile(
                    "USA_US101-4_1_T-1.xml",
                    f"{_ROADS}/2974ae000f11ef5eab36a6aa2a2474f48582ec53/tests/test_scenarios/xml/2020a/USA_US101-4_1_T-1.xml",
                    "6e14f050cff666176b1dd77081ca200369a4934bbf43fca4649c090334811682",
                ),
                DataFile(
                    "FRA_Anglet-1_1_T-1.xml",
                    f"{_ROADS}/226fbee9eea1f60f59f305a1cd100255382e102d/tests/test_scenarios/xml/2020a/FRA_Anglet-1_1_T-1.xml",
                    "9922e4f8dca133ab1754bbfdf12d0d3f0d6112e2c6ab5cfb72803b55a65240e3",
                ),
            ),
        ),
    )
}


def list_datasets() -> tuple[DataSet, ...]:
    """Return the catalogue, by name."""
    return tuple(CATALOGUE[name] for name in sorted(CATALOGUE))


def dataset(name: str) -> DataSet:
    """Return a data set. Raises UnknownName with the near match and the list."""
    if name not in CATALOGUE:
        known = ", ".join(sorted(CATALOGUE))
        raise UnknownName(f"No data set is called {name!r}.{near(name, CATALOGUE)} Known: {known}.")
    return CATALOGUE[name]


def cache_folder() -> Path:
    """Return where data sets are kept: in the user's cache."""
    return user_cache() / "data"


def path(name: str) -> Path:
    """Return the folder of a data set that was fetched. Raises DataError if a file is missing."""
    wanted = dataset(name)
    folder = cache_folder() / name
    missing = [file.name for file in wanted.files if not (folder / file.name).is_file()]
    if missing:
        raise DataError(
            f"The data set {name!r} is not at {folder} (no {missing[0]}); fetch it: simonides data fetch {name}."
        )
    return folder


def fetch(name: str, accept_licence: bool, progress: Progress | None = None) -> Path:
    """Fetch a data set from its publisher into the cache, and return its folder. Files that are there stay.

    Raises UserError when the licence was not accepted, DataError when the publisher cannot be reached or a file is
    not the one that is expected; then nothing is left behind.
    """
    wanted = dataset(name)
    if not accept_licence:
        raise UserError(
            f"{wanted.title}, {wanted.publisher}, has the licence {wanted.licence}; accept it to fetch the data set."
        )
    folder = cache_folder() / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in wanted.files:
        if not (folder / file.name).is_file():
            _download(_pinned(folder, file), folder, progress or _silent)
    return folder


def _silent(name: str, received: int, expected: int) -> None:
    """Report nothing."""


def _pin(folder: Path, file: DataFile) -> Path:
    return folder / f"{file.name}.sha256"


def _pinned(folder: Path, file: DataFile) -> DataFile:
    """Return the file with the sha256 that an earlier fetch pinned, if the catalogue has none."""
    pin = _pin(folder, file)
    return replace(file, sha256=pin.read_text().strip()) if file.sha256 == UNKNOWN and pin.is_file() else file


def _passing(error: BaseException) -> bool:
    """Return whether trying again may help: no connection, or the server's own trouble."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500 or error.response.status_code == 429
    return isinstance(error, httpx.TransportError)


def _download(file: DataFile, folder: Path, progress: Progress) -> None:
    part = folder / f".{file.name}.{os.getpid()}.part"
    retrying = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=0.5, max=8),
        retry=retry_if_exception(_passing),
        reraise=True,
    )
    try:
        found = retrying(_receive, file, part, progress)
        if file.sha256 not in (UNKNOWN, found):
            raise DataError(
                f"{file.url} has sha256 {found}, expected {file.sha256}; "
                "the publisher changed it, or it was damaged on the way."
            )
        _pin(folder, file).write_text(found + "\n")
        os.replace(part, folder / file.name)
    except httpx.HTTPError as error:
        raise DataError(
            f"{file.url} could not be fetched ({type(error).__name__}: {error}); check the network, or put the file at "
            f"{folder / file.name} yourself."
        ) from None
    finally:
        part.unlink(missing_ok=True)


def _receive(file: DataFile, part: Path, progress: Progress) -> str:
    """Write the file at its address to `part`, and return its sha256."""
    digest, received = hashlib.sha256(), 0
    with httpx.stream("GET", file.url, follow_redirects=True, timeout=30.0) as response, part.open("wb") as out:
        response.raise_for_status()
        expected = int(response.headers.get("Content-Length", 0))
        for chunk in response.iter_bytes(CHUNK):
            out.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            progress(file.name, received, expected)
    return digest.hexdigest()
