"""A real browser: headless Chromium from the system's packages, driven by selenium.

Selenium is imported with the first window: only one process of a run has one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement
    from selenium.webdriver.support.ui import Select

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
MISSING = (
    "" if CHROMIUM and DRIVER else "no Chromium here (apt-get install chromium chromium-driver)"
)

# Without a sandbox, since builds run as root; without the services that would call home.
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)


@dataclass(frozen=True, slots=True)
class Browser:
    """A window, and what it has said and asked for since it was last looked at."""

    driver: Chrome

    def view(self, width: int, scheme: str = "light", height: int = 900) -> None:
        """How wide the window is, in CSS pixels, and which colours its owner prefers."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        preferred = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": preferred})

    def show(self, url: str) -> None:
        """Go to a page, and forget what was said before."""
        self.console()
        self.requests()
        self.driver.get(url)

    def console(self) -> list[str]:
        """Return the messages in the console of the page."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The address of everything that the page asked for."""
        log = [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]
        sent = [entry["params"] for entry in log if entry["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]

    def run(self, script: str, *given: object) -> object:
        """What a script gives back."""
        return self.driver.execute_script(script, *given)

    def find(self, selector: str) -> WebElement:
        """The first element that a CSS selector matches."""
        return self.driver.find_element("css selector", selector)

    def find_all(self, selector: str) -> list[WebElement]:
        """Every element that a CSS selector matches."""
        return self.driver.find_elements("css selector", selector)

    def find_select(self, selector: str) -> Select:
        """A list of choices, to choose from."""
        from selenium.webdriver.support.ui import Select

        return Select(self.find(selector))

    def press_enter(self) -> None:
        """Press Enter in the element that has the focus."""
        from selenium.webdriver.common.keys import Keys

        self.driver.switch_to.active_element.send_keys(Keys.ENTER)


@contextmanager
def opened(profile: Path) -> Iterator[Browser]:
    """A browser with a new, empty profile, and no files outside of it; closed at the end."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    environ = {**os.environ, **dict.fromkeys(homes, str(profile))}
    driver = webdriver.Chrome(options=options, service=Service(DRIVER, env=environ))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
