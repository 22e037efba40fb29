"""uiautomator's XML: ours is read back, real dumps are read whole, and what is no dump is refused."""

import os
import re
from pathlib import Path

import pytest

from simonides.envs.android import xml
from simonides.envs.android.device import Node
from simonides.envs.android.simulated.apps import phone
from simonides.sim.errors import DataError

ORDER = [
    "index", "text", "resource-id", "class", "package", "content-desc", "checkable", "checked", "clickable", "enabled",
    "focusable", "focused", "scrollable", "long-clickable", "password", "selected", "bounds",
]  # fmt: skip


def dumps():
    folder = os.environ.get("SIMONIDES_DATA")
    return sorted((Path(folder) / "uidumps").glob("*.xml")) if folder else []


def test_attributes_come_in_uiautomators_order():
    dump = xml.write([Node("android.widget.Button", (1, 2, 30, 40), text="OK", clickable=True)], 1)
    assert re.findall(r'([\w-]+)="', dump.split("<node")[1]) == ORDER
    assert '<hierarchy rotation="1">' in dump and 'bounds="[1,2][30,40]"' in dump


def test_what_is_clickable_without_words_is_marked():
    dump = xml.write([Node("android.view.View", (0, 0, 9, 9), clickable=True, naf=True)], 0)
    assert '<node NAF="true" index="0"' in dump


@pytest.mark.parametrize("text", ['"Zoë" & <you>', "two\nlines\tand a tab", "你好 🙂", ""])
def test_any_text_is_read_back(text):
    node = Node("android.widget.TextView", (0, 0, 9, 9), text=text, content_desc=text, hint=text)
    assert xml.read(xml.write([node], 0, hints=True)) == (0, (node,))


def test_what_xml_cannot_hold_becomes_a_dot():
    dump = xml.write([Node("android.widget.TextView", (0, 0, 9, 9), text="a\x00b")], 0)
    assert xml.read(dump)[1][0].text == "a.b"


def test_every_screen_of_the_phone_is_read_back():
    device = phone(3)
    for package in device.packages():
        device.start(package)
        shown = tuple(device.windows())
        assert xml.read(xml.write(shown, 0, hints=True)) == (0, shown)


@pytest.mark.parametrize("text", ["", "<html></html>", "<hierarchy", '<hierarchy><node bounds="all" /></hierarchy>'])
def test_what_is_no_dump_is_refused(text):
    with pytest.raises(DataError):
        xml.read(text)


@pytest.mark.data
@pytest.mark.skipif(not dumps(), reason="SIMONIDES_DATA is not set: the recorded dumps are not read")
def test_all_recorded_dumps_are_read_whole():
    assert len(dumps()) == 39
    for path in dumps():
        data = path.read_bytes()
        _, windows = xml.read(data)
        nodes = [node for window in windows for node in window.walk()]
        assert len(nodes) == data.count(b"<node ")
        assert xml.read(xml.write(windows, 0, hints=True))[1] == windows
