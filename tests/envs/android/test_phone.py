"""The simulated phone: stacks, intents, keyboard, dialogs, scrolling, rotation, notifications, saving."""

import numpy as np
import pytest
from phones import click, middle, words

from simonides.envs.android import xml
from simonides.envs.android.simulated.app import SEND, VIEW, Intent
from simonides.envs.android.simulated.apps import clock, messages, phone
from simonides.envs.android.simulated.phone import Phone
from simonides.sim.errors import CorruptFile

BACK, HOME, ENTER, DELETE, RECENTS = 4, 3, 66, 67, 187


@pytest.fixture
def device():
    return phone(3)


def test_the_launcher_shows_all_apps_and_starts_them(device):
    assert device.current()[0] == "com.android.launcher3"
    assert set(device.packages().values()) <= set(words(device)) and len(device.packages()) >= 9
    click(device, text="Calendar")
    assert device.current() == ("org.simonides.calendar", ".MainActivity")


def test_an_unknown_package_is_no_app(device):
    with pytest.raises(KeyError):
        device.start("org.simonides.nothing")


def test_back_leaves_one_activity_after_another(device):
    device.start("org.simonides.contacts")
    click(device, resource_id="contact")
    click(device, content_desc="Edit contact")
    shown = []
    for _ in range(4):
        shown.append(device.current()[1])
        device.key(BACK)
    assert shown[:3] == [".EditActivity", ".ContactActivity", ".MainActivity"]
    assert device.current()[0] == "com.android.launcher3"


def test_an_app_comes_back_as_it_was_left(device):
    device.start("org.simonides.contacts")
    click(device, resource_id="contact")
    device.key(HOME)
    device.start("org.simonides.contacts")
    assert device.current()[1] == ".ContactActivity"
    device.stop("org.simonides.contacts")
    device.start("org.simonides.contacts")
    assert device.current()[1] == ".MainActivity"


def test_recent_apps_are_listed_the_last_one_first(device):
    for package in ("org.simonides.notes", "org.simonides.shop"):
        device.start(package)
    device.key(RECENTS)
    assert [one for one in words(device) if one in ("Notes", "Shop")][::2] == ["Shop", "Notes"]
    click(device, content_desc="Notes")
    assert device.current()[0] == "org.simonides.notes"


def test_typing_needs_a_field_with_the_focus(device):
    device.start("org.simonides.notes")
    device.type("lost")
    assert not device.keyboard_shown
    click(device, resource_id="search")
    assert device.keyboard_shown and device.find(resource_id="search").focused
    device.type("Gift")
    device.key(DELETE)
    assert device.find(resource_id="search").text == "Gif"
    device.key(BACK)
    assert not device.keyboard_shown and device.current()[1] == ".MainActivity"


def test_the_keyboards_keys_type_and_take_room_from_the_app(device):
    device.start("org.simonides.notes")
    before = device.windows()[0].bounds
    click(device, resource_id="search")
    for key in ("Shift", "a", "b", "Symbols", "7", "Letters", "Space", "z"):
        click(device, content_desc={"a": "A"}.get(key, key))
    assert device.find(resource_id="search").text == "Ab7 z"
    assert device.windows()[0].bounds[3] < before[3]


def test_enter_goes_to_the_next_field_and_then_puts_the_keyboard_away(device):
    device.start("org.simonides.contacts")
    click(device, content_desc="Create contact")
    click(device, resource_id="name")
    for text in ("Zoe", "555", "z@example.org"):
        device.type(text)
        device.key(ENTER)
    device.type("met at sea")
    device.key(ENTER)
    assert not device.keyboard_shown
    click(device, content_desc="Save")
    row = device.database("org.simonides.contacts").execute("SELECT * FROM contacts WHERE name = 'Zoe'").fetchone()
    assert (row["number"], row["email"], row["note"]) == ("555", "z@example.org", "met at sea")


def test_a_dialog_takes_all_touches_and_a_touch_outside_cancels_it(device):
    device.start("org.simonides.messages")
    device.long_press(*middle(device, resource_id="thread"))
    assert "Delete conversation?" in words(device) and device.find(resource_id="thread") is None
    device.tap(270, 100)
    assert device.find(resource_id="thread") is not None
    device.long_press(*middle(device, resource_id="thread"))
    before = device.database(messages.PACKAGE).execute("SELECT COUNT(DISTINCT number) FROM messages").fetchone()[0]
    click(device, resource_id="android:id/button1")
    assert (
        device.database(messages.PACKAGE).execute("SELECT COUNT(DISTINCT number) FROM messages").fetchone()[0]
        == before - 1
    )


def test_lists_scroll_by_the_fingers_way_and_stop_at_their_end(device):
    device.start("org.simonides.shop")
    first = device.find(resource_id="product_name").text
    device.swipe(270, 800, 270, 400)
    assert device.find(text=first) is None
    for _ in range(9):
        device.swipe(270, 800, 270, 300)
    bottom = words(device)
    device.swipe(270, 800, 270, 300)
    assert words(device) == bottom and "Yoga mat" in bottom
    for _ in range(9):
        device.swipe(270, 300, 270, 800)
    assert device.find(text=first) is not None


def test_what_is_scrolled_away_is_not_in_the_dump_and_what_is_cut_is_cut(device):
    device.start("org.simonides.shop")
    device.swipe(270, 800, 270, 763)
    area = device.find(resource_id="products").bounds
    rows = [node.bounds for root in device.windows() for node in root.walk() if node.resource_id.endswith("id/product")]
    assert all(area[1] <= row[1] < row[3] <= area[3] for row in rows)
    assert min(row[3] - row[1] for row in rows) < max(row[3] - row[1] for row in rows)


def test_text_is_shared_to_the_app_that_is_chosen(device):
    device.open(Intent(SEND, type="text/plain", extras={"android.intent.extra.TEXT": "remember the milk"}))
    assert {"Messages", "Notes"} <= set(words(device))
    click(device, text="Notes")
    assert device.find(resource_id="body").text == "remember the milk"
    assert device.stacks.tasks[-1].package != "com.android.launcher3" or device.current()[0] == "org.simonides.notes"


def test_a_contact_is_picked_for_another_app(device):
    device.start("org.simonides.messages")
    click(device, content_desc="Start chat")
    click(device, content_desc="Choose a contact")
    name = device.find(resource_id="name").text
    click(device, text=name)
    number = (
        device.database("org.simonides.contacts")
        .execute("SELECT number FROM contacts WHERE name = ?", (name,))
        .fetchone()[0]
    )
    assert device.find(resource_id="recipient").text == number


def test_an_address_opens_the_browser_and_nothing_takes_what_nobody_knows(device):
    device.open(Intent(VIEW, "https://cinema.example"))
    assert device.current()[0] == "org.simonides.browser" and "Cinema" in words(device)
    device.open(Intent(VIEW, "ftp://nowhere"))
    assert "No app can perform this action." in words(device)


def test_rotation_lays_out_anew_and_keeps_what_was_typed(device):
    device.start("org.simonides.notes")
    click(device, resource_id="search")
    device.type("Run")
    device.rotate(1)
    assert device.size == (960, 540) and device.rotation == 1
    assert device.find(resource_id="search").text == "Run"
    assert max(root.bounds[2] for root in device.windows()) == 960
    assert device.screenshot().shape == (540, 960, 3)


def test_a_message_shows_over_the_screen_until_the_next_input_and_then_in_the_shade(device):
    messages.receive(device, "555-0199", "The code is 12.")
    assert "The code is 12." in words(device)
    device.tap(270, 700)
    assert "The code is 12." not in words(device) and "Messages notification" in words(device)
    device.swipe(270, 10, 270, 500)
    click(device, text="The code is 12.")
    assert device.current() == ("org.simonides.messages", ".ThreadActivity") and not device.notifications


def test_a_notification_is_swiped_away(device):
    messages.receive(device, "555-0199", "The code is 12.")
    device.key(83)
    x, y = middle(device, text="The code is 12.")
    device.swipe(x, y, x + 300, y)
    assert not device.notifications and "No notifications" in words(device)


def test_an_alarm_rings_at_its_time_and_again_the_next_day(device):
    device.database(clock.PACKAGE).execute("DELETE FROM alarms")
    clock.add(device, 10 * 60, "Tea")
    device.advance(3600)
    assert not device.notifications
    device.advance(3600)
    assert [one.title for one in device.notifications] == ["Tea"]
    device.advance(86_400)
    assert len(device.notifications) == 2


def test_the_shades_tiles_are_the_systems_settings(device):
    device.key(83)
    click(device, text="Airplane mode")
    assert device.get_setting("global", "airplane_mode_on") == "1" and device.get_setting("global", "wifi_on") == "0"


def test_files_and_databases_are_read_and_written_by_path(device):
    device.write_file("/sdcard/Download/a.txt", b"hello", 0o600)
    assert device.read_file("/storage/emulated/0/Download/a.txt") == b"hello"
    assert device.stat("/sdcard/Download/a.txt").mode == 0o100600
    assert "a.txt" in [one.name for one in device.list_files("/sdcard/Download")]
    with pytest.raises(FileNotFoundError):
        device.read_file("/sdcard/nothing")
    path = "/data/data/org.simonides.notes/databases/app.db"
    saved = device.read_file(path)
    assert saved.startswith(b"SQLite format 3")
    device.database("org.simonides.notes").execute("DELETE FROM notes")
    device.write_file(path, saved)
    assert device.database("org.simonides.notes").execute("SELECT COUNT(*) FROM notes").fetchone()[0] == 4


def wander(device, steps, seed):
    """Return the dumps of a random walk of touches, swipes and keys."""
    rng, seen = np.random.default_rng(seed), []
    for _ in range(steps):
        x, y, kind = int(rng.integers(540)), int(rng.integers(960)), int(rng.integers(8))
        if kind < 5:
            device.tap(x, y)
        elif kind == 5:
            device.swipe(x, y, int(rng.integers(540)), int(rng.integers(960)))
        elif kind == 6:
            device.long_press(x, y)
        else:
            device.key(int(rng.choice([HOME, BACK, ENTER, RECENTS, 83])))
        seen.append(xml.write(device.windows(), device.rotation))
    return seen


def test_a_restored_phone_goes_on_as_the_saved_one():
    device = phone(5)
    wander(device, 60, 1)
    saved = device.snapshot()
    other = phone(None)
    other.restore(saved)
    assert other.snapshot() == saved
    assert wander(other, 60, 2) == wander(device, 60, 2)
    assert other.snapshot() == device.snapshot()


def with_keyboard(device):
    device.start("org.simonides.notes")
    click(device, resource_id="search")
    click(device, content_desc="Symbols")
    device.type("half a wor")


def with_dialog(device):
    device.start("org.simonides.messages")
    device.long_press(*middle(device, resource_id="thread"))


def with_scrolled_list(device):
    device.start("org.simonides.shop")
    device.swipe(270, 800, 270, 431)


def with_chooser(device):
    device.open(Intent(SEND, type="text/plain", extras={"android.intent.extra.TEXT": "milk"}))


def with_notification(device):
    messages.receive(device, "555-0199", "The code is 12.")


def with_shade_turned(device):
    with_notification(device)
    device.key(83)
    device.rotate(3)


def with_alarm(device):
    clock.add(device, 9 * 60)
    device.advance(590)


@pytest.mark.parametrize(
    "prepare",
    [with_keyboard, with_dialog, with_scrolled_list, with_chooser, with_notification, with_shade_turned, with_alarm],
)
def test_what_is_open_is_saved(device, prepare):
    prepare(device)
    other = phone(None)
    other.restore(device.snapshot())
    assert other.windows() == device.windows() and (other.screenshot() == device.screenshot()).all()
    for one in (device, other):
        one.advance(20)
        one.tap(270, 500)
    assert other.windows() == device.windows() and other.snapshot() == device.snapshot()


def test_no_touch_breaks_the_phone():
    for seed in range(6):
        assert len(wander(phone(seed), 80, seed)) == 80


def test_a_snapshot_of_other_apps_is_refused(device):
    with pytest.raises(CorruptFile):
        Phone([]).restore(device.snapshot())


def test_two_phones_of_one_seed_are_alike_and_of_two_seeds_are_not():
    assert phone(4).snapshot() == phone(4).snapshot() != phone(5).snapshot()
