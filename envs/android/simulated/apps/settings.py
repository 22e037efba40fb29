"""Settings: networks, Bluetooth, display, sound, apps, about; the switches are the system's own settings."""

from __future__ import annotations

from functools import partial
from typing import Any

from simonides.envs.android.simulated.app import Activity, App, Filter
from simonides.envs.android.simulated.phone import Phone
from simonides.envs.android.simulated.views import (
    Dialog,
    View,
    avatar,
    button,
    heading,
    icon,
    item,
    listing,
    page,
    radio,
    scrolling,
    switch,
    text,
    title_bar,
)
from simonides.envs.android.simulated.world import World, some

PACKAGE = "org.simonides.settings"
IDS = ("android:id/title", "android:id/summary", "android:id/summary")
NETWORKS = ("Heron-5", "Kestrel-2", "Magpie-9", "Osprey-4", "Plover-7", "Robin-3", "Swift-8", "Wren-6")
BRIGHTNESS = (("Low", "40"), ("Medium", "128"), ("High", "255"))


class Screen(Activity):
    """What the screens of the settings share: rows with a title and a summary, and rows with a switch."""

    def line(self, title: str, summary: str, on_tap: Any = None, **fields: object) -> View:
        """Return a row."""
        return item(title, summary, on_tap, ids=IDS, id="preference", **fields)  # type: ignore[arg-type]

    def turn(self, title: str, name: str) -> View:
        """Return a row with a switch of a setting."""
        on, do = self.phone.on(name), partial(self.phone.toggle, name)
        trail = switch(on, None, "android:id/switch_widget")
        return self.line(title, "On" if on else "Off", do, trail=trail)


class Main(Screen):
    """The list of all settings."""

    filters = (Filter("android.settings.SETTINGS"),)

    def build(self) -> View:
        """Return the list."""
        ssid = self.phone.get_setting("global", "wifi_ssid")
        lines = (
            ("Network and internet", ssid or "Wi-Fi, airplane mode", "wifi", ".WifiActivity"),
            ("Connected devices", "Bluetooth", "share", ".DevicesActivity"),
            ("Apps", f"{len(self.phone.packages())} apps", "recent_apps", ".AppsActivity"),
            ("Display", "Brightness, rotation", "hollow_star", ".DisplayActivity"),
            ("Sound", "Do not disturb", "bell", ".SoundActivity"),
            (
                "Location",
                "On" if self.phone.get_setting("secure", "location_mode") != "0" else "Off",
                "person",
                ".LocationActivity",
            ),
            ("About phone", self.phone.get_setting("global", "device_name") or "", "phone", ".AboutActivity"),
        )
        rows = [
            self.line(title, summary, partial(self.go, name), lead=icon(sign, "", None, colour="primary"))
            for title, summary, sign, name in lines
        ]
        return page(title_bar("Settings"), listing("settings", *rows))


class Wifi(Screen):
    """Wi-Fi and the networks in reach."""

    name = ".WifiActivity"
    filters = (Filter("android.settings.WIFI_SETTINGS"),)

    def build(self) -> View:
        """Return the switches and the networks."""
        rows = [self.turn("Wi-Fi", "wifi_on"), self.turn("Airplane mode", "airplane_mode_on")]
        if self.phone.on("wifi_on"):
            rows += [
                heading("Available networks"),
                *map(self._network, self.rows("SELECT * FROM networks ORDER BY ssid")),
            ]
        return page(title_bar("Network and internet", up=self.finish), listing("networks", *rows))

    def _network(self, one: Any) -> View:
        on = one["ssid"] == self.phone.get_setting("global", "wifi_ssid")
        summary = "Connected" if on else "Saved" if one["known"] else "Secured"
        return self.line(one["ssid"], summary, self.set(ask=one["ssid"]), lead=icon("wifi", "", None))

    def dialog(self) -> Dialog | None:
        """Ask before another network is joined."""
        ssid = self.state.get("ask", "")
        if not ssid:
            return None
        words = f"The phone will use {ssid}."
        return Dialog.ask(f"Connect to {ssid}?", words, "Connect", partial(self._join, ssid), self.set(ask=""))

    def _join(self, ssid: str) -> None:
        self.state["ask"] = ""
        self.do("UPDATE networks SET known = 1 WHERE ssid = ?", ssid)
        self.phone.put_setting("global", "wifi_ssid", ssid)


class Devices(Screen):
    """Bluetooth."""

    name = ".DevicesActivity"

    def build(self) -> View:
        """Return the switch."""
        return page(
            title_bar("Connected devices", up=self.finish), listing("devices", self.turn("Bluetooth", "bluetooth_on"))
        )


class Display(Screen):
    """Brightness and rotation."""

    name = ".DisplayActivity"

    def build(self) -> View:
        """Return the choices."""
        now = self.phone.get_setting("system", "screen_brightness")
        put = partial(self.phone.put_setting, "system", "screen_brightness")
        levels = [
            radio(words, now == level, partial(put, level), "brightness", pad=(12, 4)) for words, level in BRIGHTNESS
        ]
        rows = (
            heading("Brightness"),
            *levels,
            heading("Rotation"),
            self.turn("Auto-rotate screen", "accelerometer_rotation"),
        )
        return page(title_bar("Display", up=self.finish), listing("display", *rows))


class Sound(Screen):
    """Do not disturb and the ring volume."""

    name = ".SoundActivity"

    def build(self) -> View:
        """Return the switch and the volume."""
        volume = int(self.phone.get_setting("system", "volume_ring") or 0)
        put = partial(self.phone.put_setting, "system", "volume_ring")
        less = icon("minus", "Quieter", partial(put, str(max(0, volume - 1))), "less")
        more = icon("plus", "Louder", partial(put, str(min(7, volume + 1))), "more")
        ring = self.line("Ring volume", f"{volume} of 7", trail=less)
        return page(
            title_bar("Sound", up=self.finish),
            listing("sound", self.turn("Do not disturb", "zen_mode"), ring.but(children=(*ring.children, more))),
        )


class Location(Screen):
    """Whether the phone knows where it is."""

    name = ".LocationActivity"

    def build(self) -> View:
        """Return the switch."""
        return page(
            title_bar("Location", up=self.finish), listing("location", self.turn("Use location", "location_mode"))
        )


class Apps(Screen):
    """All apps; each may be stopped."""

    name = ".AppsActivity"

    def build(self) -> View:
        """Return the list."""
        rows = [
            self.line(label, package, self.set(app=package), lead=avatar(label, self.phone.apps[package].colour))
            for package, label in self.phone.packages().items()
        ]
        return page(title_bar("Apps", up=self.finish), listing("apps", *rows))

    def dialog(self) -> Dialog | None:
        """Offer to stop an app."""
        package = self.state.get("app", "")
        if not package:
            return None
        label = self.phone.packages()[package]
        stop = partial(self._stop, package)
        return Dialog.ask(label, "If you force stop an app, it may misbehave.", "Force stop", stop, self.set(app=""))

    def _stop(self, package: str) -> None:
        self.state["app"] = ""
        self.phone.stop(package)


class About(Screen):
    """The phone's name and version."""

    name = ".AboutActivity"

    def created(self) -> None:
        """Show the name in its field."""
        self.record.fields["device_name"] = self.phone.get_setting("global", "device_name") or ""

    def build(self) -> View:
        """Return what there is to know."""
        properties = self.phone.properties()
        return page(
            title_bar("About phone", up=self.finish),
            scrolling(
                "about",
                self.field("device_name", "Device name"),
                button("Rename", self._rename, "rename"),
                self.line("Model", properties["ro.product.model"]),
                self.line("Android version", properties["ro.build.version.release"]),
                text("Made to be remembered.", "slogan", 13, "faint"),
            ),
        )

    def _rename(self) -> None:
        self.phone.put_setting("global", "device_name", self.typed("device_name"))


class Settings(App):
    """The settings app."""

    package, label, colour, accent = PACKAGE, "Settings", "#455a64", "#1e88e5"
    schema = "CREATE TABLE networks (ssid TEXT PRIMARY KEY, known INTEGER NOT NULL DEFAULT 0);"
    activities = (Main, Wifi, Devices, Apps, Display, Sound, Location, About)

    def populate(self, phone: Phone, world: World) -> None:
        """Let some networks be in reach."""
        rng = world.draws("settings")
        names = [(name, int(i == 0)) for i, name in enumerate(some(rng, NETWORKS, 5))]
        phone.database(PACKAGE).executemany("INSERT INTO networks VALUES (?, ?)", names)
