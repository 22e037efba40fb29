"""The guide for authors of memory systems runs as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

from simonides.sim.checks import check_memory, render
from simonides.sim.checks.memory import UNIVERSAL

GUIDE = Path(__file__).parents[2] / "docs" / "write-a-memory-system.md"


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_memory_of_the_guide_passes_the_suite_and_prints_its_report(capsys):
    memory, check, own = blocks()
    names = {"__name__": "guide"}
    exec(compile(memory + check, str(GUIDE), "exec"), names)
    assert "14 of 14 checks passed." in capsys.readouterr().out
    exec(compile(own, str(GUIDE), "exec"), names)
    names["LastWords"].checks = names["checks"]
    report = check_memory(names["LastWords"])
    assert report.passed, render(report)
    assert report.findings[-1].check == "latest"


def test_the_guide_lists_every_universal_check():
    text = GUIDE.read_text(encoding="utf-8")
    assert all(f"| {check.name} |" in text for check in UNIVERSAL)
