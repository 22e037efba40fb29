"""AndroidWorld's actions and elements: strictly read, performed by its gestures, listed so that they are read back."""

import pytest
from phones import click

from simonides.envs.android import xml
from simonides.envs.android.actions import BadAction, JSONAction, check, legal, parse, perform
from simonides.envs.android.elements import Screen, UIElement, elements_of
from simonides.envs.android.simulated.apps import phone


@pytest.fixture
def device():
    return phone(3)


def do(device, **said):
    screen = Screen.of(device)
    action = parse(said)
    check(action, screen)
    perform(device, action, screen)


def index(device, label):
    return Screen.of(device).names.index(label)


@pytest.mark.parametrize(
    "said",
    [
        "", "click", "click one", "fly 3", "[]", "{", '{"index": 3}', '{"action_type": "fly"}',
        '{"action_type": "click"}', '{"action_type": "click", "index": 3, "x": 4, "y": 5}',
        '{"action_type": "click", "x": 4}', '{"action_type": "click", "index": "3"}',
        '{"action_type": "click", "index": true}', '{"action_type": "scroll", "direction": "north"}',
        '{"action_type": "scroll"}', '{"action_type": "input_text", "index": 2}', '{"action_type": "open_app"}',
        '{"action_type": "status", "goal_status": "done"}', '{"action_type": "answer"}',
        '{"action_type": "wait", "keycode": "ENTER"}', '{"action_type": "wait", "speed": 3}',
    ],
)  # fmt: skip
def test_what_says_too_little_or_two_things_at_once_is_no_action(said):
    with pytest.raises(BadAction):
        parse(said)


def test_every_legal_action_is_read_back_from_its_words_and_from_its_json(device):
    for package in device.packages():
        device.start(package)
        screen = Screen.of(device)
        listed = legal(screen, ['a: "b"', "two\nlines"])
        assert len({one["text"] for one in listed}) == len(listed)
        for one in listed:
            assert parse(one["text"]) == parse(one["value"]) == parse(parse(one["value"]).plain())
            check(parse(one["value"]), screen)


def test_elements_are_all_nodes_of_the_dump_but_the_windows_roots(device):
    device.start("org.simonides.messages")
    dump = xml.write(device.windows(), 0, hints=True)
    elements = elements_of(dump, device.size)
    assert len(elements) == dump.count("<node ") - len(device.windows())
    assert elements == Screen.of(device).elements
    one = next(element for element in elements if element.resource_id == "org.simonides.messages:id/fab")
    assert isinstance(one, UIElement) and one.content_description == "Start chat" and one.is_clickable
    assert one.bbox.x_max == pytest.approx(one.bbox_pixels.x_max / 540)


def test_an_index_that_is_not_there_and_an_unknown_app_are_refused(device):
    with pytest.raises(BadAction, match="no element 999"):
        do(device, action_type="click", index=999)
    with pytest.raises(BadAction, match="no app is called 'Maps'"):
        do(device, action_type="open_app", app_name="Maps")


def test_apps_are_opened_by_name_and_elements_touched_by_index(device):
    do(device, action_type="open_app", app_name="contacts")
    do(device, action_type="click", index=index(device, "Create contact"))
    assert device.current()[1] == ".EditActivity"
    do(device, action_type="navigate_back")
    do(device, action_type="navigate_home")
    assert device.current()[0] == "com.android.launcher3"


def test_text_goes_into_the_field_that_is_named_and_is_cleared_on_demand(device):
    do(device, action_type="open_app", app_name="Contacts")
    click(device, content_desc="Create contact")
    do(device, action_type="input_text", index=index(device, "Name"), text="Zoe")
    assert device.find(resource_id="name").text == "Zoe" and device.find(resource_id="number").focused
    do(device, action_type="input_text", index=index(device, "Zoe"), text="Ada", clear_text=True)
    assert device.find(resource_id="name").text == "Ada"


def test_scrolling_down_shows_what_is_below_and_swiping_is_its_inverse(device):
    device.start("org.simonides.shop")
    top = device.find(resource_id="product_name").text
    do(device, action_type="scroll", direction="down")
    assert device.find(text=top) is None
    do(device, action_type="scroll", direction="up")
    assert device.find(text=top) is not None
    do(device, action_type="swipe", direction="down")
    assert device.find(resource_id="notification_stack_scroller") is not None or device.find(text="No notifications")


def test_a_long_press_and_a_wait(device):
    device.start("org.simonides.notes")
    do(
        device,
        action_type="long_press",
        index=Screen.of(device).names.index(device.find(resource_id="note").children[0].children[0].text),
    )
    assert device.find(text="Delete note?") is not None
    before = device.time
    do(device, action_type="wait")
    assert device.time == before + 1


def test_what_only_speaks_touches_nothing(device):
    before = device.snapshot()
    for said in (
        {"action_type": "status", "goal_status": "complete"},
        {"action_type": "answer", "text": "42"},
        {"action_type": "unknown"},
    ):
        do(device, **said)
    assert device.snapshot() == before


def test_an_action_says_itself_as_json():
    assert JSONAction("click", x=3, y=4).json_str() == '{"action_type":"click","x":3,"y":4}'
