"""Each app does what its kind does, and keeps it in its database."""

from itertools import pairwise

import pytest
from phones import click, words

from simonides.envs.android.simulated.apps import calendar, phone, transit


@pytest.fixture
def device():
    return phone(3)


def rows(device, package, sql):
    return [tuple(row) for row in device.database(f"org.simonides.{package}").execute(sql)]


def test_an_order_goes_from_the_catalogue_through_cart_and_checkout(device):
    device.start("org.simonides.shop")
    click(device, text="Kitchen")
    assert device.find(text="Atlas") is None
    click(device, text="Kettle")
    click(device, text="Add to cart")
    click(device, content_desc="One Kettle more")
    click(device, text="Checkout")
    assert not device.find(resource_id="place_order").enabled
    click(device, text="Pickup point")
    click(device, text="Place order")
    assert device.current()[1] == ".OrderActivity"
    sql = "SELECT delivery, name, quantity FROM orders JOIN order_lines ON order_id = id ORDER BY id DESC LIMIT 1"
    assert rows(device, "shop", sql) == [("Pickup point", "Kettle", 2)]
    assert not rows(device, "shop", "SELECT * FROM cart")


def test_an_event_is_planned_changed_and_deleted(device):
    device.start("org.simonides.calendar")
    click(device, content_desc="Create new event")
    click(device, resource_id="title")
    device.type("Board games")
    device.key(4)
    for row, value in (("Day", "Tue 03 Mar 2026"), ("Time", "11:30"), ("Room", "Elm")):
        click(device, text=row)
        click(device, text=value)
    click(device, content_desc="Save")
    ((time, room),) = rows(device, "calendar", "SELECT time, room FROM events WHERE title = 'Board games'")
    assert (calendar.day_of(time), calendar.clock_of(time), room) == ("Tue 03 Mar 2026", "11:30", "Elm")
    device.advance(time - device.time - 60)
    assert [one.title for one in device.notifications if one.package == "org.simonides.calendar"] == ["Board games"]
    click(device, text="Board games")
    click(device, content_desc="Delete event")
    click(device, text="Delete")
    assert not rows(device, "calendar", "SELECT * FROM events WHERE title = 'Board games'")


def test_a_message_is_written_and_sent(device):
    device.start("org.simonides.messages")
    click(device, resource_id="thread")
    click(device, resource_id="compose_message_text")
    device.type("On my way.")
    device.key(66)
    assert rows(device, "messages", "SELECT body, mine FROM messages ORDER BY id DESC LIMIT 1") == [("On my way.", 1)]
    assert "On my way." in words(device)


def test_a_number_is_dialled_and_called(device):
    device.start("org.simonides.contacts")
    click(device, text="CALLS")
    click(device, content_desc="Keypad")
    for digit in "555":
        click(device, resource_id=f"key_{digit}")
    click(device, resource_id="call")
    assert "Calling" in words(device) and rows(device, "contacts", "SELECT number FROM calls") == [("555",)]


def test_a_note_is_found_changed_and_saved(device):
    device.start("org.simonides.notes")
    click(device, resource_id="note")
    click(device, resource_id="body")
    device.type(" Also this.")
    device.key(66)
    device.type("And that.")
    device.key(4)
    click(device, content_desc="Save")
    ((body,),) = rows(device, "notes", "SELECT body FROM notes ORDER BY time DESC LIMIT 1")
    assert body.endswith("Also this.\nAnd that.")


def test_every_route_begins_and_ends_where_it_should(device):
    stops = [name for (name,) in rows(device, "transit", "SELECT name FROM stops")]
    for end in stops:
        for way in transit.routes(device, "Market", end) if end != "Market" else ():
            assert way[0].start == "Market" and way[-1].end == end
            assert all(first.end == second.start for first, second in pairwise(way))


def test_a_ticket_is_bought(device):
    ((stop,),) = rows(device, "transit", "SELECT stop FROM calls WHERE stop < 'Fountain' ORDER BY stop LIMIT 1")
    device.start("org.simonides.transit")
    click(device, text="From")
    click(device, text=stop)
    click(device, text="To")
    device.swipe(270, 700, 270, 200)
    click(device, text="Market")
    click(device, resource_id="route")
    click(device, text="Buy ticket")
    assert rows(device, "transit", "SELECT start, end FROM tickets") == [(stop, "Market")]


def test_the_browser_goes_to_pages_and_back_and_remembers_them(device):
    device.start("org.simonides.browser")
    click(device, text="Cinema")
    assert "Matinee on Sundays." in words(device)
    click(device, content_desc="Clear address")
    click(device, resource_id="url_bar")
    device.type("museum.example")
    device.key(66)
    assert "City museum" in words(device)
    device.key(4)
    assert "Cinema" in words(device)
    click(device, content_desc="More options")
    click(device, text="History")
    assert "https://museum.example" in words(device)


def test_a_page_that_is_not_there_is_told(device):
    device.start("org.simonides.browser")
    click(device, content_desc="Clear address")
    click(device, resource_id="url_bar")
    device.type("nowhere.example")
    device.key(66)
    assert "This site can't be reached" in words(device)


def test_a_network_is_joined_after_a_question(device):
    device.start("org.simonides.settings")
    click(device, text="Network and internet")
    click(device, text="Secured")
    title = device.find(resource_id="android:id/alertTitle").text
    click(device, text="Connect")
    assert title == f"Connect to {device.get_setting('global', 'wifi_ssid')}?" and "Connected" in words(device)


def test_an_app_is_stopped_from_the_settings(device):
    device.start("org.simonides.notes")
    device.start("org.simonides.settings")
    click(device, text="Apps")
    device.swipe(270, 800, 270, 300)
    click(device, text="Notes")
    click(device, text="Force stop")
    assert "org.simonides.notes" not in [task.package for task in device.stacks.tasks]


def test_a_folder_is_made_and_a_file_read_and_deleted(device):
    device.write_file("/sdcard/plan.txt", b"Paint the door.\n")
    device.start("org.simonides.files")
    click(device, content_desc="New folder")
    click(device, resource_id="folder")
    device.type("Trips")
    click(device, text="OK")
    assert "Trips" in [one.name for one in device.list_files("/sdcard")]
    device.swipe(270, 700, 270, 300)
    click(device, text="plan.txt")
    assert "Paint the door." in words(device)
    device.key(4)
    left, top, _, bottom = device.find(text="plan.txt").bounds
    device.long_press(left + 5, (top + bottom) // 2)
    click(device, text="Delete")
    with pytest.raises(FileNotFoundError):
        device.stat("/sdcard/plan.txt")


def test_a_timer_ends_with_a_notification(device):
    device.start("org.simonides.clock")
    click(device, text="TIMER")
    click(device, text="3 minutes")
    assert any(one.startswith("Ends at") for one in words(device))
    device.advance(200)
    assert [one.text for one in device.notifications] == ["Time is up."]
