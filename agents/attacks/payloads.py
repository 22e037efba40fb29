"""Read untrusted content from InjecAgent's and AgentDojo's files: texts with a slot in which a payload stands.

Both are read as their authors released them: InjecAgent's test cases (arXiv 2403.02691, "test_cases_*.json") and a
suite of AgentDojo's environments (arXiv 2406.13352, a folder with environment.yaml and injection_vectors.yaml).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from simonides.agents.attacks.released import parsed
from simonides.sim.errors import DataError

SLOT = "<Attacker Instruction>"
"""Where InjecAgent's tool responses hold the attacker's words."""
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Carrier:
    """A text that a tool returns or an application shows, cut where the attacker's words stand."""

    source: str
    """The tool that returns it, or the suite and place in it."""
    before: str
    after: str
    instruction: str = ""
    """The released attacker's words, their override included; "" where the file has none."""
    kind: str = ""
    """The released kind of attack, e.g. "Physical Harm"."""

    def holding(self, payload: str) -> str:
        """Return the whole text with a payload in the slot."""
        return f"{self.before}{payload}{self.after}"


def read_carriers(path: str | Path) -> list[Carrier]:
    """Return the carriers of a file of InjecAgent's cases, or of a folder of AgentDojo's. Raises DataError."""
    place = Path(path)
    found = list(_agentdojo(place) if place.is_dir() else _injecagent(place))
    if not found:
        raise DataError(f"released: {place} holds no text with a place for a payload; give a released file or suite.")
    return found


def _injecagent(file: Path) -> Iterator[Carrier]:
    cases = parsed(file, json.loads)
    if not isinstance(cases, list):
        raise DataError(f"released: {file} should be a list of test cases, found {type(cases).__name__}.")
    for number, case in enumerate(cases):
        yield _case(file, number, case)


def _case(file: Path, number: int, case: Any) -> Carrier:
    """Return one test case; what stands in the slot of its response is the instruction as it was given."""
    try:
        before, slot, after = str(case["Tool Response Template"]).partition(SLOT)
        response, tool, kind = _unquoted(str(case["Tool Response"])), str(case["User Tool"]), str(case["Attack Type"])
    except (KeyError, TypeError) as error:
        raise DataError(f"released: case {number} of {file} lacks {error}; give InjecAgent's test cases.") from None
    if not (slot and response.startswith(before) and response.endswith(after)):
        raise DataError(f"released: case {number} of {file} has a response that is not its template's, filled.")
    return Carrier(tool, before, after, response[len(before) : len(response) - len(after)], kind)


def _unquoted(response: str) -> str:
    """Return a response without the quotes around it and the strokes before quotes in it; it need not be JSON."""
    return response.removeprefix('"').removesuffix('"').replace('\\"', '"')


def _agentdojo(folder: Path) -> Iterator[Carrier]:
    vectors = parsed(folder / "injection_vectors.yaml", yaml.safe_load)
    if not isinstance(vectors, dict):
        raise DataError(f"released: {folder}/injection_vectors.yaml should map names to vectors.")
    defaults = {str(name): str(one.get("default", "")) for name, one in vectors.items() if isinstance(one, dict)}
    for where, text in _texts(_environment(folder), folder.name):
        yield from _cut(where, text, defaults)


def _environment(folder: Path) -> Any:
    """Return environment.yaml with the files that it includes, which must lie within the folder."""

    class Loader(yaml.SafeLoader):
        """YAML of plain values, and files beside it."""

    def include(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
        file = (folder / str(node.value)).resolve()
        if not file.is_relative_to(folder.resolve()):
            raise DataError(f"released: {folder}/environment.yaml includes {node.value!r}, which lies outside of it.")
        return parsed(file, yaml.safe_load)

    Loader.add_constructor("!include", include)
    return parsed(folder / "environment.yaml", lambda text: yaml.load(text, Loader))


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield every text of nested values, with the names that lead to it."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(one, f"{where}/{key}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _texts(one, f"{where}/{number}")
    elif isinstance(value, str):
        yield where, value


def _cut(where: str, text: str, defaults: Mapping[str, str]) -> Iterator[Carrier]:
    """Yield a text once for each vector in it; the other vectors hold what they hold without an attack."""

    def filled(part: str) -> str:
        return _PLACE.sub(lambda found: defaults.get(found[1], found[0]), part)

    for found in _PLACE.finditer(text):
        if found[1] in defaults:
            yield Carrier(f"{where}:{found[1]}", filled(text[: found.start()]), filled(text[found.end() :]))
