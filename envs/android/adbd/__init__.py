"""An adb daemon for a simulated device: what the real `adb`, adbutils and uiautomator2 talk to on loopback."""
