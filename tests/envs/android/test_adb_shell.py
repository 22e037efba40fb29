"""The device's shell, without any connection: its language, its tools, and how it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies

from simonides.envs.android.adbd import terminal  # noqa: F401  (it brings the commands)
from simonides.envs.android.adbd.screen import dump_of
from simonides.envs.android.adbd.shell import Shell, Target
from simonides.envs.android.adbd.syntax import ShellSyntaxError, parse
from simonides.envs.android.keycodes import keycode
from simonides.envs.android.simulated.apps import phone

PHONE = Target(phone(3), "simulated")


@pytest.fixture
def shell(device):
    target = Target(device, "simulated")
    target.files.make("/data/local/tmp")
    return Shell(target, lambda: b"given\n")


@pytest.mark.parametrize(
    "line, status, out",
    [
        ("echo one two", 0, "one two\n"),
        ("echo 'a  b' \"c  d\" e\\ f", 0, "a  b c  d e f\n"),
        ("echo -n x; echo y", 0, "xy\n"),
        ("false || echo no && echo yes", 0, "no\nyes\n"),
        ("true && false; echo $?", 0, "1\n"),
        ("false && echo never", 1, ""),
        ("A=5 ; echo $A ${A}6 '$A' \"$A\"", 0, "5 56 $A 5\n"),
        ("A='x  y'; echo $A; echo \"$A\"", 0, "x y\nx  y\n"),
        ("echo $(echo inner) `echo old`", 0, "inner old\n"),
        ("echo one | cat | grep -c o", 0, "1\n"),
        ("(echo a; echo b) | wc -l", 0, "2\n"),
        ("cat", 0, "given\n"),
        ("cat | md5sum", 0, "13ec5b8e14c3fc46a8d89fe81b122b19  -\n"),
        ("echo x > /sdcard/a; echo y >> /sdcard/a; cat < /sdcard/a", 0, "x\ny\n"),
        ("nosuch 2>/dev/null; echo $?", 0, "127\n"),
        ("nosuch 2>&1 | grep -c inaccessible", 0, "1\n"),
        ("echo a2>/sdcard/b; cat /sdcard/b", 0, "a2\n"),
        ("echo it#is # a comment", 0, "it#is\n"),
        ("touch /sdcard/q1.txt /sdcard/q2.txt; echo /sdcard/q*.txt '/sdcard/q*'", 0,
         "/sdcard/q1.txt /sdcard/q2.txt /sdcard/q*\n"),
        ("mkdir -p /sdcard/x/y && ls /sdcard/x; rm -r /sdcard/x; ls -d /sdcard/x || echo gone", 0, "y\ngone\n"),
        ("cd /sdcard; pwd; cd ../..; pwd", 0, "/sdcard\n/\n"),
        ("cat ../../../../etc/passwd || echo outside", 0, "outside\n"),
        ("sh -c 'echo \"$0\"; exit 3'; echo $?", 0, "/system/bin/sh\n3\n"),
        ("exit 4; echo never", 4, ""),
        ("[ -d /sdcard ] && [ ! = x ] || test -z '' && echo ok", 0, "ok\n"),
        ("echo one\necho two", 0, "one\ntwo\n"),
        ("settings put system a 3; settings get system a; settings get system none", 0, "3\nnull\n"),
        ("getprop ro.build.version.sdk", 0, "34\n"),
        ("wm size; wm density", 0, "Physical size: 540x960\nPhysical density: 240\n"),
        ("pm list packages notes", 0, "package:org.simonides.notes\n"),
        ("pm path org.nope", 1, ""),
        ("toybox echo through", 0, "through\n"),
        ("date +%Y-%m-%d; sleep 86400; date +%Y-%m-%d", 0, "2026-03-02\n2026-03-03\n"),
    ],
)  # fmt: skip
def test_a_line_says_and_gives(shell, line, status, out):
    got, said, _ = shell.run(line)
    assert (got, said.decode()) == (status, out)


@pytest.mark.parametrize(
    "line, status, error",
    [
        ("nosuch", 127, "/system/bin/sh: nosuch: inaccessible or not found"),
        ("/system/bin/nosuch", 127, "/system/bin/sh: /system/bin/nosuch: No such file or directory"),
        ("cat /nope", 1, "cat: /nope: No such file or directory"),
        ("cat /sdcard", 1, "Is a directory"),
        ("echo x > /no/such", 1, "/system/bin/sh: can't open /no/such: No such file or directory"),
        ("rm /sdcard", 1, "rm: /sdcard: is directory"),
        ("echo 'open", 1, "/system/bin/sh: no closing quote '"),
        ("echo a |", 1, "unexpected 'end of line'"),
        ("; echo", 1, "unexpected ';'"),
        ("echo )", 1, "unexpected ')'"),
        ("while true; do echo; done", 1, "'while': this shell knows lists, pipes and files only"),
        ("input tap here", 1, "Usage: input"),
        ("input tap a b", 1, "input: Invalid argument: tap a b"),
        ("input keyevent KEYCODE_NOPE", 255, "Error: Invalid arguments for command: keyevent KEYCODE_NOPE"),
        ("input text naïve", 255, "NullPointerException"),
        ("am start -n org.nope/.Main", 1, "Error: Activity class {org.nope/org.nope.Main} does not exist."),
        ("am start -a nothing.takes.this", 1, "Error: Activity not started, unable to resolve Intent"),
        ("monkey -p org.nope -c android.intent.category.LAUNCHER 1", 252, "No activities found to run"),
        ("wm size 100x100", 255, "this device's screen is fixed"),
        ("cmd nope", 20, "cmd: Can't find service: nope"),
    ],
)
def test_a_mistake_is_told_as_android_tells_it(shell, line, status, error):
    got, _, said = shell.run(line)
    assert got == status
    assert error in said.decode()


@pytest.mark.parametrize("line", ["echo $(", 'echo "', "a && ", "a | | b", "(echo", "echo >"])
def test_what_is_no_line_is_a_syntax_error(line):
    with pytest.raises(ShellSyntaxError):
        parse(line)


def test_errors_keep_their_place_in_a_merged_output(shell):
    assert shell.run("echo a; nosuch; echo b", merged=True)[1].splitlines()[1:] == [
        b"/system/bin/sh: nosuch: inaccessible or not found", b"b"
    ]  # fmt: skip


def test_apps_are_started_by_name_and_by_intent(shell, device):
    assert shell.run("am start -W -n org.simonides.notes/.MainActivity")[0] == 0
    assert device.current() == ("org.simonides.notes", ".MainActivity")
    assert shell.run("am start -a android.intent.action.DIAL -d tel:555-1234")[0] == 0
    assert device.current()[0] == "org.simonides.contacts"
    shell.run("am force-stop org.simonides.contacts")
    assert device.current()[0] != "org.simonides.contacts"


def test_typing_puts_words_into_the_field(shell, device):
    shell.run("am start -n org.simonides.notes/.MainActivity")
    left, top, right, bottom = device.find(resource_id="search").bounds
    shell.run(f"input tap {(left + right) // 2} {(top + bottom) // 2}; input text 'two%swords'; input keyevent DEL")
    assert device.find(resource_id="search").text == "two word"
    assert "mInputShown=true" in shell.run("dumpsys input_method")[1].decode()


def test_a_swipe_in_place_is_a_tap_or_a_long_press(shell, device, monkeypatch):
    done = []
    monkeypatch.setattr(device, "tap", lambda *at: done.append(("tap", *at)))
    monkeypatch.setattr(device, "long_press", lambda *at: done.append(("long", *at)))
    monkeypatch.setattr(device, "swipe", lambda *at: done.append(("swipe", *at)))
    shell.run("input swipe 9 9 9 9; input swipe 9 9 10 10 600; input swipe 9 9 90 90 80")
    assert done == [("tap", 9, 9), ("long", 9, 9), ("swipe", 9, 9, 90, 90, 80)]


def test_a_dump_goes_to_a_file_or_to_the_output(shell, device):
    status, out, _ = shell.run("uiautomator dump /sdcard/d.xml")
    assert (status, out) == (0, b"UI hierchary dumped to: /sdcard/d.xml\n")
    assert device.read_file("/sdcard/d.xml").decode() == dump_of(device)
    assert shell.run("uiautomator dump /dev/tty")[1].decode() == dump_of(device) + "UI hierchary dumped to: /dev/tty\n"


def test_a_turned_device_says_so(shell, device):
    shell.run("wm user-rotation lock 1")
    assert device.size == (960, 540)
    assert "orientation=1" in shell.run("dumpsys display")[1].decode()
    assert "SurfaceOrientation: 1" in shell.run("dumpsys input")[1].decode()


@pytest.mark.parametrize(
    "name, code",
    [("HOME", 3), ("KEYCODE_BACK", 4), ("keycode_a", 29), ("ENTER", 66), ("DEL", 67), ("MOVE_END", 123), ("F1", 131),
     ("NUMPAD_ENTER", 160), ("APP_SWITCH", 187), ("WAKEUP", 224), ("5", 5)],
)  # fmt: skip
def test_keys_have_androids_numbers(name, code):
    assert keycode(name) == code


LANGUAGE = (
    *"' \" \\ $( ` ) ( ; && || | > < >> 2>&1 # & * ? $A A=1 -n -c -p %s 1 -1 .. \n é".split(" "),
    *"cat echo ls rm grep head cd test [ input tap text swipe am start pm list settings get put sh exit".split(),
    *"uiautomator dump /dev/tty /sdcard /nope org.simonides.notes toybox stat date printf".split(),
)


@given(strategies.lists(strategies.sampled_from(LANGUAGE), max_size=8), strategies.sampled_from(["", " "]))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_line_ends_with_a_status(words, between):
    status, _, _ = Shell(PHONE).run(between.join(words))
    assert 0 <= status <= 255
