"""The programs and libraries that people use with phones, on the simulated one: adb, adbutils, uiautomator2."""

from __future__ import annotations

import io
import urllib.request

import numpy as np
import pytest
from PIL import Image

from simonides.envs.android.adbd.automator import Automator
from simonides.envs.android.adbd.http import _call
from simonides.envs.android.adbd.screen import dump_of
from simonides.envs.android.adbd.shell import Target


def centre(node):
    left, top, right, bottom = node.bounds
    return (left + right) // 2, (top + bottom) // 2


# --- adb, Debian's ---


def test_adb_lists_the_device(adb_server, adb, daemon):
    lines = adb_server("devices", "-l").stdout.decode().splitlines()
    (line,) = [line for line in lines if line.startswith(daemon.serial)]
    assert "device product:simonides model:Simonides_Phone device:simonides" in line


def test_adb_shell_gives_output_errors_and_status(adb):
    done = adb("shell", "echo out; nosuch; exit 9")
    assert (done.returncode, done.stdout) == (9, b"out\n")
    assert done.stderr == b"/system/bin/sh: nosuch: inaccessible or not found\n"


def test_adb_shell_takes_lines_from_its_input(adb):
    done = adb("shell", input=b"cd /sdcard\npwd\nexit 5\necho never\n")
    assert (done.returncode, done.stdout) == (5, b"/sdcard\n")


def test_adb_shell_passes_its_input_to_a_command(adb, device):
    adb("shell", "cat > /sdcard/given.bin", input=bytes(range(256)) * 1000)
    assert device.read_file("/sdcard/given.bin") == bytes(range(256)) * 1000


def test_adb_takes_a_picture(adb, device):
    picture = Image.open(io.BytesIO(adb("exec-out", "screencap", "-p").stdout))
    assert np.array_equal(np.asarray(picture), device.screenshot())


def test_adb_dumps_the_screen(adb, device, tmp_path):
    assert adb("shell", "uiautomator", "dump").stdout == b"UI hierchary dumped to: /sdcard/window_dump.xml\n"
    adb("pull", "/sdcard/window_dump.xml", str(tmp_path / "dump.xml"))
    assert (tmp_path / "dump.xml").read_text() == dump_of(device)


@pytest.mark.parametrize("size", [0, 1, 65536, 3_000_001])
def test_adb_pushes_and_pulls_files_unchanged(adb, device, tmp_path, size):
    data = np.random.default_rng(size).bytes(size)
    (tmp_path / "there.bin").write_bytes(data)
    assert adb("push", str(tmp_path / "there.bin"), "/sdcard/new/folder/x.bin").returncode == 0
    assert device.read_file("/sdcard/new/folder/x.bin") == data
    assert adb("pull", "/sdcard/new/folder/x.bin", str(tmp_path / "back.bin")).returncode == 0
    assert (tmp_path / "back.bin").read_bytes() == data


def test_adb_pushes_and_pulls_folders(adb, tmp_path):
    (tmp_path / "many" / "inner").mkdir(parents=True)
    (tmp_path / "many" / "a.txt").write_text("a")
    (tmp_path / "many" / "inner" / "b.txt").write_text("b")
    assert adb("push", str(tmp_path / "many"), "/sdcard/").returncode == 0
    assert adb("pull", "/sdcard/many", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back" / "inner" / "b.txt").read_text() == "b"


def test_adb_says_what_is_missing(adb, tmp_path):
    done = adb("pull", "/sdcard/none", str(tmp_path / "none"))
    assert done.returncode == 1
    assert b"No such file or directory" in done.stderr + done.stdout


def test_adb_refuses_what_the_device_cannot_do(adb, tmp_path):
    (tmp_path / "an.apk").write_bytes(bytes(300_000))
    done = adb("install", str(tmp_path / "an.apk"))
    assert done.returncode == 1 and b"INSTALL_FAILED_USER_RESTRICTED" in done.stderr
    assert b"DELETE_FAILED_USER_RESTRICTED" in adb("uninstall", "org.simonides.notes").stdout
    assert adb("root").returncode == 1
    assert adb("reverse", "tcp:9", "tcp:10").returncode == 1


def test_adb_forwards_to_uiautomator2s_server(adb):
    port = int(adb("forward", "tcp:0", "tcp:9008").stdout)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=10) as answer:
        assert answer.read() == b"pong"


def test_adb_input_acts(adb, device):
    adb("shell", "input", "tap", *map(str, centre(device.find(text="Notes"))))
    assert device.current()[0] == "org.simonides.notes"
    adb("shell", "input", "keyevent", "KEYCODE_HOME")
    assert device.current()[0] == "com.android.launcher3"


# --- adbutils ---


@pytest.fixture
def utils(adb, daemon):
    adbutils = pytest.importorskip("adbutils", reason="needs the extra: pip install 'simonides[android]'")
    return adbutils.AdbClient().device(daemon.serial)


def test_adbutils_asks_what_the_device_is(utils, device):
    assert tuple(utils.window_size()) == device.size
    assert utils.rotation() == 0
    assert utils.prop.model == "Simonides Phone"
    assert sorted(utils.list_packages()) == sorted(device.packages())
    assert utils.app_current().package == "com.android.launcher3"
    assert utils.battery().level == 100
    assert utils.is_screen_on()
    assert utils.app_info("org.simonides.notes").version_name == "1.0"
    assert utils.app_info("org.nope") is None
    assert utils.brightness_value == 128


def test_adbutils_sees_and_touches(utils, device):
    assert utils.dump_hierarchy() == dump_of(device)
    assert np.array_equal(np.asarray(utils.screenshot(error_ok=False)), device.screenshot())
    utils.click(*centre(device.find(text="Notes")))
    assert device.current()[0] == "org.simonides.notes"
    utils.app_stop("org.simonides.notes")
    utils.app_start("org.simonides.contacts", ".MainActivity")
    assert device.current()[0] == "org.simonides.contacts"


def test_adbutils_runs_commands_and_moves_files(utils):
    done = utils.shell2("echo out; nosuch", v2=True)
    assert (done.returncode, done.stdout) == (127, "out\n")
    assert utils.shell("echo a b") == "a b"
    utils.sync.push(b"content", "/sdcard/pushed.txt")
    assert utils.sync.read_text("/sdcard/pushed.txt") == "content"
    assert [entry.path for entry in utils.sync.list("/sdcard") if entry.path == "pushed.txt"] == ["pushed.txt"]
    utils.remove("/sdcard/pushed.txt")
    assert not utils.sync.exists("/sdcard/pushed.txt")


# --- uiautomator2 ---


@pytest.fixture
def automator(utils):
    uiautomator2 = pytest.importorskip("uiautomator2", reason="needs the extra: pip install 'simonides[android]'")
    return uiautomator2.connect(utils)


def test_uiautomator2_asks_what_the_device_is(automator, device):
    info = automator.info
    assert (info["displayWidth"], info["displayHeight"]) == device.size
    assert info["currentPackageName"] == "com.android.launcher3"
    assert automator.app_current()["package"] == "com.android.launcher3"
    assert automator.screenshot().size == device.size


def test_uiautomator2_finds_and_clicks(automator, device):
    assert automator(text="Notes").exists
    assert not automator(text="No such app").exists
    automator(text="Notes").click()
    assert device.current()[0] == "org.simonides.notes"
    rows = automator(resourceId="org.simonides.notes:id/note")
    assert rows.count == len([n for w in device.windows() for n in w.walk() if n.resource_id.endswith(":id/note")])
    words = rows[1].child(className="android.widget.TextView").get_text()
    assert automator(text=words).info["className"] == "android.widget.TextView"
    assert automator.xpath(f"//*[@text='{words}']").exists
    automator.press("back")
    assert device.current()[0] == "com.android.launcher3"


def test_uiautomator2_dumps_every_window(automator, device):
    dump = automator.dump_hierarchy()
    assert dump.count("<node") == sum(1 for window in device.windows() for _ in window.walk())


def test_uiautomator2_types_any_letters(automator, device):
    automator.app_start("org.simonides.notes")
    automator(resourceId="org.simonides.notes:id/search").set_text("naïve 東京")
    assert device.find(resource_id="search").text == "naïve 東京"
    automator(resourceId="org.simonides.notes:id/search").clear_text()
    assert device.find(resource_id="search").text in ("", device.find(resource_id="search").hint)
    automator.send_keys("more")
    assert device.find(resource_id="search").text == "more"


def test_uiautomator2_waits_in_simulated_time(automator, device):
    before = device.time
    assert not automator(text="No such app").wait(timeout=30)
    assert device.time - before == pytest.approx(30)


def test_uiautomator2_is_told_what_is_not_there(automator):
    from uiautomator2.exceptions import RPCUnknownError, UiObjectNotFoundError

    with pytest.raises(UiObjectNotFoundError):
        _ = automator(text="No such app").info
    with pytest.raises(RPCUnknownError, match="Method not found"):
        automator.jsonrpc.noSuchMethod()
    with pytest.raises(RPCUnknownError, match="Invalid params"):
        automator.jsonrpc.click("a", "b")


@pytest.mark.parametrize(
    "method, given",
    [("exist", ["x"]), ("exist", [{"textMatches": "("}]), ("exist", [{"txt": 1}]), ("click", [None]), ("click", []),
     ("swipePoints", [[], 3]), ("pressKey", ["none"]), ("setOrientation", ["up"]), ("dragTo", [{"text": "Notes"}])],
)  # fmt: skip
def test_wrong_parameters_are_told_and_nothing_is_done(device, method, given):
    before = device.snapshot()
    said = _call(Automator(Target(device, "simulated")), method, given)
    assert said["error"]["message"] == "Invalid params"
    assert device.snapshot() == before


def test_uiautomator2_scrolls_a_list(automator, device):
    automator.app_start("org.simonides.shop")
    above = device.windows()
    products = automator(resourceId="org.simonides.shop:id/products")
    assert products.scroll.toEnd()
    assert device.windows() != above
    assert not products.scroll()
    assert products.scroll.toBeginning()
    assert device.windows()[0] == above[0]


def test_uiautomator2_opens_the_shade(automator, device):
    automator.open_notification()
    assert automator(resourceId="com.android.systemui:id/notification_stack_scroller").exists
    automator.press("back")
    assert not automator(resourceId="com.android.systemui:id/notification_stack_scroller").exists
