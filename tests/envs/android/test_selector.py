"""uiautomator's selectors over a small tree."""

from __future__ import annotations

import pytest

from simonides.envs.android.device import Node
from simonides.envs.android.selector import select


def node(kind, text="", **more):
    return Node(class_name=f"android.{kind}", bounds=(0, 0, 10, 10), text=text, **more)


ROWS = tuple(
    node("Row", resource_id="id/row", clickable=True, children=(node("Text", name), node("Text", f"{name} number")))
    for name in ("Ann", "Bo", "Cara")
)
WINDOWS = [node("Frame", children=(node("List", scrollable=True, children=ROWS), node("Button", "Add", enabled=False)))]


@pytest.mark.parametrize(
    "selector, texts",
    [
        ({"text": "Bo"}, ["Bo"]),
        ({"textContains": "NUMBER"}, ["Ann number", "Bo number", "Cara number"]),
        ({"textStartsWith": "ca"}, ["Cara", "Cara number"]),
        ({"textMatches": "B."}, ["Bo"]),
        ({"className": "android.Text", "index": 0}, ["Ann", "Bo", "Cara"]),
        ({"classNameMatches": r".*Text", "instance": 3}, ["Bo number"]),
        ({"enabled": False}, ["Add"]),
        ({"text": "bo"}, []),
        ({"resourceId": "id/row", "instance": 1, "childOrSibling": ["child"],
          "childOrSiblingSelector": [{"className": "android.Text"}]}, ["Bo", "Bo number"]),
        ({"text": "Cara", "childOrSibling": ["sibling"], "childOrSiblingSelector": [{"index": 1}]}, ["Cara number"]),
        ({"scrollable": True, "childOrSibling": ["child", "child"],
          "childOrSiblingSelector": [{"clickable": True, "instance": 2}, {"index": 0}]}, ["Cara"]),
        ({"className": "android.Text", "instance": 9}, []),
    ],
)  # fmt: skip
def test_a_selector_finds(selector, texts):
    assert [found.node.text for found in select(WINDOWS, selector)] == texts


def test_a_field_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no field 'txt'"):
        select(WINDOWS, {"txt": "x"})
