"""The commands about files and text that toybox gives an Android shell, as far as clients use them."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
import stat
from datetime import UTC, datetime

from simonides.envs.android.adbd.shell import COMMANDS, NOT_FOUND, Call, Stop, command, options
from simonides.envs.android.device import FileEntry


@command("cd")
def _cd(call: Call) -> int:
    path = call.path(call.arguments[0] if call.arguments else "/")
    if not call.files.is_folder(path):
        return call.complain(f"/system/bin/sh: cd: {path}: No such file or directory", 2)
    call.shell.folder = call.shell.variables["PWD"] = path
    return 0


@command("pwd")
def _pwd(call: Call) -> int:
    return call.say(call.shell.folder)


@command("exit")
def _exit(call: Call) -> int:
    raise Stop(int(call.arguments[0]) & 0xFF if call.arguments else int(call.shell.variables["?"]))


@command("true", ":", "sync", "export", "chmod", "chown", "restorecon")
def _true(call: Call) -> int:
    return 0


@command("false")
def _false(call: Call) -> int:
    return 1


@command("echo")
def _echo(call: Call) -> int:
    words = call.arguments
    bare = words[:1] == ["-n"]
    call.out += (" ".join(words[bare:]) + "\n" * (not bare)).encode()
    return 0


@command("printf")
def _printf(call: Call) -> int:
    form, *values = call.arguments
    form = re.sub(r"\\([nt\\])", lambda match: {"n": "\n", "t": "\t", "\\": "\\"}[match.group(1)], form)
    wanted = len(re.findall(r"%s", form))
    filled = re.sub(r"%s", lambda _: values.pop(0) if values else "", form) if wanted else form
    call.out += filled.replace("%%", "%").encode()
    return 0


@command("sh")
def _sh(call: Call) -> int:
    words = call.arguments
    if words[:1] == ["-c"]:
        line = words[1]
    else:
        line = (call.files.read(call.path(words[0])) if words else call.input).decode(errors="replace")
    status, out, error = call.shell.another(call.input if words[:1] == ["-c"] else b"").run(line)
    call.out += out
    call.error += error
    return status


@command("toybox", "busybox", "exec", "command", "nohup", "timeout", "su", "run-as")
def _through(call: Call) -> int:
    words = list(call.arguments)
    if call.name == "timeout":
        words.pop(0)
    if call.name in ("su", "run-as"):
        return call.complain(f"/system/bin/sh: {call.name}: inaccessible or not found", NOT_FOUND)
    if call.name == "command" and words[:1] == ["-v"]:
        return call.say(f"/system/bin/{words[1]}") if words[1] in COMMANDS else 1
    return call.shell.execute(words, call.input, call.out, call.error) if words else 0


@command("which")
def _which(call: Call) -> int:
    found = [name for name in call.arguments if name in COMMANDS]
    for name in found:
        call.say(f"/system/bin/{name}")
    return int(len(found) < len(call.arguments))


def _paths(call: Call) -> list[str]:
    return [word for word in call.arguments if not word.startswith("-")]


def _texts(call: Call) -> list[tuple[str, bytes]]:
    """Return name and content of each file named, or of the input."""
    named = [(path, call.files.read(call.path(path))) for path in _paths(call)]
    return named or [("-", call.input)]


@command("cat")
def _cat(call: Call) -> int:
    for _, data in _texts(call):
        call.out += data
    return 0


@command("tee")
def _tee(call: Call) -> int:
    for path in _paths(call):
        call.files.write(call.path(path), call.input, append="-a" in call.arguments)
    call.out += call.input
    return 0


@command("head", "tail")
def _ends(call: Call) -> int:
    unit, count, paths = "-n", 10, []
    for flag, value in options(call.arguments, "-n -c"):
        if flag in ("-n", "-c"):
            unit, count = flag, int(value)
        elif flag:
            count = int(flag[1:])
        else:
            paths.append(value)
    call.arguments = paths
    for _, data in _texts(call):
        parts = data.splitlines(keepends=True) if unit == "-n" else [data[i : i + 1] for i in range(len(data))]
        call.out += b"".join(parts[:count] if call.name == "head" else parts[-count:])
    return 0


@command("wc")
def _wc(call: Call) -> int:
    for name, data in _texts(call):
        counts = {"-l": data.count(b"\n"), "-w": len(data.split()), "-c": len(data)}
        asked = [flag for flag in counts if flag in call.arguments] or list(counts)
        call.say(" ".join([*(str(counts[flag]) for flag in asked), *([name] if name != "-" else [])]))
    return 0


@command("grep")
def _grep(call: Call) -> int:
    flags = "".join(word[1:] for word in call.arguments if word.startswith("-"))
    pattern, *paths = _paths(call)
    fixed = re.escape(pattern) if "F" in flags else pattern
    wanted = re.compile(fixed, re.IGNORECASE if "i" in flags else 0)
    call.arguments = paths
    lines = [line for _, data in _texts(call) for line in data.decode(errors="replace").splitlines()]
    found = [line for line in lines if bool(wanted.search(line)) != ("v" in flags)]
    if "c" in flags:
        call.say(str(len(found)))
    elif "q" not in flags:
        call.out += "".join(f"{line}\n" for line in found).encode()
    return int(not found)


@command("md5sum", "sha1sum", "sha256sum")
def _sum(call: Call) -> int:
    for name, data in _texts(call):
        call.say(f"{hashlib.new(call.name.removesuffix('sum'), data).hexdigest()}  {name}")
    return 0


@command("base64")
def _base64(call: Call) -> int:
    for _, data in _texts(call):
        call.out += base64.b64decode(data) if "-d" in call.arguments else base64.encodebytes(data)
    return 0


@command("mkdir")
def _mkdir(call: Call) -> int:
    for word in _paths(call):
        path = call.path(word)
        if "-p" not in call.arguments:
            if call.files.exists(path):
                return call.complain(f"mkdir: '{word}': File exists")
            if not call.files.is_folder(posixpath.dirname(path)):
                return call.complain(f"mkdir: '{word}': No such file or directory")
        if not call.files.exists(path):
            call.files.make(path)
    return 0


@command("rm", "rmdir")
def _rm(call: Call) -> int:
    flags = "".join(word[1:] for word in call.arguments if word.startswith("-"))
    status = 0
    for word in _paths(call):
        path = call.path(word)
        if not call.files.exists(path):
            status = status if "f" in flags else call.complain(f"{call.name}: {word}: No such file or directory")
        elif call.files.is_folder(path) and call.name == "rm" and not set("rR") & set(flags):
            status = call.complain(f"rm: {word}: is directory")
        elif call.name == "rmdir" and call.files.entries(path):
            status = call.complain(f"rmdir: {word}: Directory not empty")
        else:
            call.files.remove(path)
    return status


@command("touch")
def _touch(call: Call) -> int:
    for word in _paths(call):
        if not call.files.exists(call.path(word)):
            call.files.write(call.path(word), b"")
    return 0


@command("cp", "mv")
def _copy(call: Call) -> int:
    *sources, target = _paths(call)
    folder = call.files.is_folder(call.path(target))
    for source in sources:
        data = call.files.read(call.path(source))
        into = posixpath.join(call.path(target), posixpath.basename(source)) if folder else call.path(target)
        call.files.write(into, data)
        if call.name == "mv":
            call.files.remove(call.path(source))
    return 0


@command("ls")
def _ls(call: Call) -> int:
    flags = "".join(word[1:] for word in call.arguments if word.startswith("-"))
    status = 0
    for word in _paths(call) or ["."]:
        path = call.path(word)
        if not call.files.exists(path):
            status = call.complain(f"ls: {word}: No such file or directory")
            continue
        whole = call.files.is_folder(path) and "d" not in flags
        entries = call.files.entries(path) if whole else [call.files.stat(path)]
        for entry in entries:
            if entry.name.startswith(".") and whole and not set("aA") & set(flags):
                continue
            name = entry.name if whole else word
            call.say(_long(entry, name) if "l" in flags else name)
    return status


def _long(entry: FileEntry, name: str) -> str:
    moment = datetime.fromtimestamp(entry.time, UTC)
    owner = "root sdcard_rw"
    return f"{stat.filemode(entry.mode)} 1 {owner} {entry.size:>8} {moment:%Y-%m-%d %H:%M} {name}"


@command("stat")
def _stat(call: Call) -> int:
    words = list(call.arguments)
    form = words[1] if words[:1] == ["-c"] else "%n %s %Y"
    for word in words[2 if words[:1] == ["-c"] else 0 :]:
        entry = call.files.stat(call.path(word))
        values = {
            "%n": word, "%s": str(entry.size), "%Y": str(entry.time), "%a": f"{stat.S_IMODE(entry.mode):o}",
            "%F": "directory" if stat.S_ISDIR(entry.mode) else "regular file",
        }  # fmt: skip
        call.say(re.sub("%[nsYaF]", lambda match, values=values: values[match.group()], form))  # type: ignore[misc]
    return 0


@command("test", "[")
def _test(call: Call) -> int:
    words = call.arguments[:-1] if call.name == "[" else call.arguments
    match words:
        case ["-e", path]:
            return int(not call.files.exists(call.path(path)))
        case ["-d", path]:
            return int(not call.files.is_folder(call.path(path)))
        case ["-f", path]:
            return int(not call.files.exists(call.path(path)) or call.files.is_folder(call.path(path)))
        case ["-n", text] | [text]:
            return int(not text)
        case ["-z", text]:
            return int(bool(text))
        case [left, "=" | "==", right]:
            return int(left != right)
        case [left, "!=", right]:
            return int(left == right)
    return 1


@command("date")
def _date(call: Call) -> int:
    moment = datetime.fromtimestamp(call.device.time, UTC)
    forms = [word[1:] for word in call.arguments if word.startswith("+")]
    return call.say(
        moment.strftime(forms[0].replace("%s", str(int(call.device.time))) if forms else "%a %b %e %H:%M:%S UTC %Y")
    )


@command("sleep", "usleep")
def _sleep(call: Call) -> int:
    """Let simulated time pass: nobody waits."""
    call.device.advance(float(call.arguments[0].rstrip("s")) / (1e6 if call.name == "usleep" else 1))
    return 0


@command("id", "whoami")
def _id(call: Call) -> int:
    return call.say("shell" if call.name == "whoami" else "uid=2000(shell) gid=2000(shell) groups=2000(shell)")


@command("uname")
def _uname(call: Call) -> int:
    return call.say("Linux" if "-a" not in call.arguments else "Linux localhost 5.15.0 #1 SMP PREEMPT x86_64 Toybox")
