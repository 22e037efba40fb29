"""The shell commands that ask the system: activities, packages, settings, properties, processes, the clipboard."""

from __future__ import annotations

from simonides.envs.android.adbd.shell import COMMANDS, Call, Target, command, options

MAIN = "android.intent.action.MAIN"
WITH_VALUE = "-n -a -d -t -c -f -p --user --display --activity-flags"
EXTRAS = {"-e": "es", "--es": "es", "--ei": "ei", "--ez": "ez", "--el": "el", "--ef": "ef", "--eu": "eu"}
KEYBOARD = "com.android.inputmethod.latin/.LatinIME"
FIRST_PROCESS = 2100


def whole(package: str, activity: str) -> str:
    """Return a component with the class's full name."""
    return f"{package}/{package if activity.startswith('.') else ''}{activity}"


def running(target: Target) -> dict[str, int]:
    """Return package -> process of the apps that were started or seen since the daemon began, not stopped since."""
    package, _ = target.device.current()
    target.started.add(package)
    known = sorted({*target.device.packages(), package})
    return {name: FIRST_PROCESS + place for place, name in enumerate(known) if name in target.started}


@command("am")
def _am(call: Call) -> int:
    match call.arguments:
        case ["start" | "start-activity", *words]:
            return _start(call, words)
        case ["force-stop" | "kill", *words]:
            call.device.stop(words[-1])
            call.target.started.discard(words[-1])
            return 0
        case ["stack", "list"]:
            return _stacks(call)
        case ["broadcast", *words]:
            action = next((value for flag, value in options(words, WITH_VALUE) if flag == "-a"), "")
            call.say(f"Broadcasting: Intent {{ act={action} flg=0x400000 }}")
            return call.say("Broadcast completed: result=0")
        case ["get-current-user"]:
            return call.say("0")
        case ["get-config"]:
            wide, tall = call.device.size
            return call.say(f"config: en-rUS-w{wide}dp-h{tall}dp")
    return call.complain(f"Unknown command: {' '.join(call.arguments[:1])}", 255)


def _start(call: Call, words: list[str]) -> int:
    given, extras, flags = _intent(words)
    component, action = given.get("-n", ""), given.get("-a", MAIN)
    shown = {"act": given.get("-a"), "dat": given.get("-d"), "typ": given.get("-t"), "cmp": component or None}
    said = " ".join(f"{name}={value}" for name, value in shown.items() if value)
    call.say(
        f"{'Stopping: ' + component.partition('/')[0] + chr(10) if '-S' in flags else ''}Starting: Intent {{ {said} }}"
    )
    package, _, activity = component.partition("/")
    package = package or given.get("", "") or given.get("-p", "")
    if "-S" in flags and package:
        call.device.stop(package)
    try:
        if action == MAIN and package and not extras and "-d" not in given:
            call.device.start(package, _short(package, activity))
        else:
            full = f"{package}/{_short(package, activity)}" if activity else ""
            call.device.send(action, given.get("-d", ""), given.get("-t", ""), extras, full)
    except KeyError:
        if component:
            call.complain(f"Error type 3\nError: Activity class {{{whole(package, activity)}}} does not exist.")
            return 1
        return call.complain(f"Error: Activity not started, unable to resolve Intent {{ {said} flg=0x10000000 }}")
    running(call.target)
    if "-W" in flags:
        call.say(f"Status: ok\nLaunchState: COLD\nActivity: {whole(*call.device.current())}\nTotalTime: 0\nWaitTime: 0")
        call.say("Complete")
    return 0


def _short(package: str, activity: str) -> str:
    return activity[len(package) :] if activity.startswith(f"{package}.") else activity


def _intent(words: list[str]) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """Return the intent's parts by option, its extras, and the options without values; "" is a lone argument."""
    parts: dict[str, str] = {}
    extras: dict[str, str] = {}
    flags: set[str] = set()
    rest = iter(words)
    for word in rest:
        if word in EXTRAS:
            name = next(rest, "")
            extras[name] = next(rest, "")
        elif word in WITH_VALUE.split():
            parts[word] = next(rest, "")
        elif word.startswith("-"):
            flags.add(word)
        else:
            parts["-d" if ":" in word else ""] = word
    return parts, extras, flags


def _stacks(call: Call) -> int:
    wide, tall = call.device.size
    name = whole(*call.device.current())
    box = f"[0,0][{wide},{tall}]"
    call.say(f"RootTask id=1 bounds={box} displayId=0 userId=0")
    return call.say(f"  taskId=1: {name} bounds={box} userId=0 visible=true topActivity=ComponentInfo{{{name}}}")


@command("monkey")
def _monkey(call: Call) -> int:
    package = next((value for flag, value in options(call.arguments, "-p -c") if flag == "-p"), "")
    try:
        call.device.start(package)
    except KeyError:
        return call.complain("** No activities found to run, monkey aborted.", 252)
    running(call.target)
    call.say("  bash arg: -p\n  bash arg: " + package)
    return call.say("Events injected: 1")


@command("pm")
def _pm(call: Call) -> int:
    known = call.device.packages()
    match call.arguments:
        case ["list", "packages", *words]:
            third = {"-3", "-d"} & set(words)  # every app came with the system, none is disabled
            wanted = next((word for word in words if not word.startswith("-")), "")
            for package in sorted(known):
                if wanted in package and not third:
                    call.say(f"package:{_file(package) + '=' if '-f' in words else ''}{package}")
            return 0
        case ["list", "features"]:
            return call.say("feature:android.hardware.touchscreen")
        case ["list", "libraries"]:
            return 0
        case ["list", "users"]:
            return call.say("Users:\n\tUserInfo{0:Owner:c13} running")
        case ["path", package]:
            return call.say(f"package:{_file(package)}") if package in known else 1
        case ["grant" | "revoke", package, _] if package in known:
            return 0
        case ["query-activities", *_]:
            for place, (package, label) in enumerate(sorted(known.items())):
                call.say(f"Activity #{place}:\n  ActivityInfo:\n    packageName={package}")
                call.say(f"    labelRes=0x0 nonLocalizedLabel={label} icon=0x0 banner=0x0")
            return 0
        case ["resolve-activity", *words] if words[-1] in known:
            return call.say(f"{words[-1]}/.MainActivity")
        case ["install" | "install-create" | "uninstall" as verb, *_]:
            kind = "DELETE" if verb == "uninstall" else "INSTALL"
            call.say(f"Failure [{kind}_FAILED_USER_RESTRICTED: the apps of this simulated device are fixed]")
            return 1
        case ["clear" | "disable" | "disable-user", *_]:
            call.say("Failed: the apps of this simulated device keep their data")
            return 1
    return call.complain(f"Unknown command or package: {' '.join(call.arguments)}", 255)


def _file(package: str) -> str:
    return f"/system/app/{package}/base.apk"


@command("settings")
def _settings(call: Call) -> int:
    words = [value for flag, value in options(call.arguments, "--user") if not flag]
    match words:
        case ["get", namespace, name]:
            value = call.device.get_setting(namespace, name)
            return call.say("null" if value is None else value)
        case ["put", namespace, name, value, *_]:
            call.device.put_setting(namespace, name, value)
            return 0
        case ["list", namespace]:
            for name, value in sorted(call.device.settings_of(namespace).items()):
                call.say(f"{name}={value}")
            return 0
    return call.complain(f"settings: {' '.join(call.arguments)}: known are get, put and list", 255)


@command("getprop")
def _getprop(call: Call) -> int:
    found = call.device.properties()
    if call.arguments:
        return call.say(found.get(call.arguments[0], call.arguments[1] if len(call.arguments) > 1 else ""))
    for name, value in sorted(found.items()):
        call.say(f"[{name}]: [{value}]")
    return 0


@command("ps")
def _ps(call: Call) -> int:
    call.say("USER           PID  PPID     VSZ    RSS WCHAN            ADDR S NAME")
    for package, process in running(call.target).items():
        call.say(
            f"u0_a{process - FIRST_PROCESS:<9} {process:>5}   300 1010000  27580 ep_poll             0 S {package}"
        )
    return 0


@command("pidof")
def _pidof(call: Call) -> int:
    process = running(call.target).get(call.arguments[0])
    return call.say(str(process)) if process is not None else 1


@command("ime")
def _ime(call: Call) -> int:
    match call.arguments:
        case ["list", *_]:
            return call.say(KEYBOARD)
        case ["enable" | "set" | "disable" | "reset", *names] if not names or names[0] == KEYBOARD:
            return 0
    return call.complain(f"Error: Unknown id: {' '.join(call.arguments[1:])}")


@command("cmd")
def _cmd(call: Call) -> int:
    """Hand a service's command to the tool of the same work."""
    match call.arguments:
        case ["package", *words]:
            tool = "pm"
        case ["activity", *words]:
            tool = "am"
        case [("settings" | "input" | "window") as service, *words]:
            tool = {"window": "wm"}.get(service, service)
        case ["clipboard", "get", *_]:
            return call.say(call.target.clipboard)
        case ["statusbar", *words]:
            return _statusbar(call, words)
        case [service, *_]:
            return call.complain(f"cmd: Can't find service: {service}", 20)
        case _:
            return call.complain("cmd: No service specified; use -l to list all services", 20)
    call.arguments = words
    return COMMANDS[tool](call)


def _statusbar(call: Call, words: list[str]) -> int:
    wide, tall = call.device.size
    match words:
        case ["expand-notifications" | "expand-settings"]:
            call.device.swipe(wide // 2, 2, wide // 2, tall * 2 // 3)
        case ["collapse"]:
            call.device.swipe(wide // 2, tall * 2 // 3, wide // 2, 2)
        case _:
            return call.complain(f"Unknown command: {' '.join(words)}", 255)
    return 0


@command("svc")
def _svc(call: Call) -> int:
    names = {"wifi": "wifi_on", "bluetooth": "bluetooth_on", "data": "mobile_data"}
    match call.arguments:
        case [service, ("enable" | "disable") as wish] if service in names:
            call.device.put_setting("global", names[service], str(int(wish == "enable")))
            return 0
        case ["power", "stayon", *_]:
            return 0
    return call.complain("Available commands: wifi, bluetooth, data: enable or disable", 1)


@command("service")
def _service(call: Call) -> int:
    match call.arguments:
        case ["check", name]:
            return call.say(f"Service {name}: found")
    return call.complain("Usage: service check SERVICE", 10)


@command("logcat")
def _logcat(call: Call) -> int:
    """Wait until the client goes, unless `-d` or `-c` asks for what there is: the simulated device logs nothing."""
    if not {"-d", "-c", "-t", "-g"} & set(call.arguments):
        call.shell.closed.wait()
    return 0


@command("app_process")
def _app_process(call: Call) -> int:
    """Stay, as uiautomator2's server does when it is started: the one on port 9008 answers already."""
    call.shell.closed.wait()
    return 0


@command("content", "ifconfig", "ip", "reboot", "getevent", "sendevent", "screenrecord", "run_test")
def _lacking(call: Call) -> int:
    return call.complain(f"{call.name}: this simulated device has none", 1)
