"""The page in a real browser: nothing runs, nothing is fetched, filters work, nothing overflows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from render import browser
from render.reports import HOSTILE, REPORTS, drifted, hostile, many, plan

from reconciler.render.html import document as html
from reconciler.report.report import Report

pytestmark = [
    pytest.mark.skipif(bool(browser.MISSING), reason=browser.MISSING),
    pytest.mark.xdist_group("browser"),
]
Show = Callable[[str], str]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    with browser.opened(tmp_path_factory.mktemp("profile")) as window:
        yield window


@pytest.fixture
def show(chromium: browser.Browser, tmp_path: Path) -> Show:
    """Show a page, as a phone or a screen would, and give its address."""

    def _show(page: str) -> str:
        file = tmp_path / "report.html"
        file.write_text(page, "utf-8")
        chromium.view(1200)
        chromium.show(file.as_uri())
        return file.as_uri()

    return _show


def shown(chromium: browser.Browser) -> list[str]:
    """The names of the lines that can be seen, in order."""
    names = "return [...document.querySelectorAll('.line')].filter(line => line.checkVisibility())"
    return chromium.run(f"{names}.map(line => line.dataset.name)")


@pytest.mark.parametrize("text", [*HOSTILE, "<img src=http://127.0.0.1:9/x onerror=alert(1)>"])
@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_a_hostile_name_does_nothing(command, text, chromium, show):
    """No script of its own, no request but for the page, no word in the console, no dialogue."""
    url = show(html.render(hostile(text, command)))
    assert chromium.requests() == [url]
    assert chromium.console() == []
    assert chromium.run("return document.scripts.length") == 1
    assert chromium.run("return document.querySelectorAll('img, iframe, object, a').length") == 1
    assert chromium.run("return document.querySelector('a').getAttribute('href')") == "#meters"


def test_the_policy_holds_even_if_markup_got_in(chromium, show):
    """What would run or be fetched without it is blocked by the browser."""
    bad = '<img src="http://127.0.0.1:9/x" onerror="top.ran=1"><script>top.ran=1</script>'
    show(html.render(drifted()).replace("<main>", f"<main>{bad}<b style='color:red'>x</b>"))
    assert chromium.run("return window.ran") is None
    said = chromium.console()
    assert len(said) >= 3  # the image, the script, the style
    assert all("Content Security Policy" in line for line in said)
    assert chromium.run("return document.querySelectorAll('main > img').length") == 1


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_a_report_logs_nothing_to_the_console(make, chromium, show):
    """Five hundred findings included."""
    url = show(html.render(make()))
    assert chromium.console() == []
    assert chromium.requests() == [url]


def test_cards_are_found_by_their_text(chromium, show):
    """Typing narrows the list at once, and a screen reader announces how many are left."""
    show(html.render(drifted()))
    find, count = (chromium.find(f"#{name}") for name in ("find", "shown"))
    find.send_keys("SEATS")
    assert shown(chromium) == ["seats"]
    assert (count.text, count.get_attribute("aria-live")) == ("1 of 6 shown", "polite")
    find.clear()
    find.send_keys("req_Zz81")
    assert shown(chromium) == ["ai_image_renders"]
    find.send_keys("no such thing")
    assert (shown(chromium), count.text) == ([], "0 of 6 shown")


@pytest.mark.parametrize(
    ("choice", "value", "wanted"),
    [
        ("severity", "revenue", ["seats"]),
        ("severity", "ignored", ["video_minutes"]),
        ("status", "in sync", ["ai_tokens", "storage_gb"]),
    ],
)
def test_cards_are_filtered_by_severity_and_status(choice, value, wanted, chromium, show):
    show(html.render(drifted()))
    select = chromium.find_select(f"#{choice}")
    select.select_by_value(value)
    assert shown(chromium) == wanted
    select.select_by_value("")
    assert len(shown(chromium)) == 6


def test_cards_are_sorted(chromium, show):
    """By rank, by name, by when it happened, and by rank again."""
    show(html.render(drifted()))
    worst = shown(chromium)
    sort = chromium.find_select("#sort")
    sort.select_by_value("name")
    assert shown(chromium) == sorted(worst)
    sort.select_by_value("since")
    assert shown(chromium)[:3] == ["seats", "ai_image_renders", "api_calls"]
    sort.select_by_value("rank")
    assert shown(chromium) == worst == ["seats", "api_calls", "ai_image_renders", *worst[3:]]


def test_cards_open_from_the_keyboard(chromium, show):
    """Tab reaches them, Enter opens and closes; a button does it for all."""
    show(html.render(plan()))
    card = "document.querySelector('[data-name=video_minutes] details')"
    chromium.run(f"{card}.querySelector('summary').focus()")
    for wanted in (True, False):
        chromium.press_enter()
        assert chromium.run(f"return {card}.open") is wanted
    chromium.find("#open").click()
    assert chromium.run("return document.querySelectorAll('details:not([open])').length") == 0
    chromium.find("#close").click()
    assert chromium.run("return document.querySelectorAll('details[open]').length") == 0


def wide(report: Report) -> str:
    return html.render(report).replace("<details>", "<details open>")


WIDEST = {
    **REPORTS,
    "long name": lambda: hostile("x" * 400),
    "many": lambda: many(20, 20),
}
CUT = (
    "return [...document.querySelectorAll('td, th, dd, p, summary, pre')].filter("
    "it => it.checkVisibility() && it.clientWidth && it.scrollWidth > it.clientWidth + 1)"
    ".map(it => it.textContent)"
)


@pytest.mark.parametrize("make", WIDEST.values(), ids=WIDEST)
def test_nothing_overflows(make, chromium, show):
    """A phone needs no sideways scrolling, however long a name is, with every card open."""
    show(wide(make()))
    for width, scheme in product([320, 390, 800, 1200], ["light", "dark"]):
        chromium.view(width, scheme)
        assert chromium.run("return document.documentElement.scrollWidth") <= width
        assert chromium.run(CUT) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_preferred_scheme(scheme, chromium, show):
    show(html.render(drifted()))
    chromium.view(1200, scheme)
    colour = "return getComputedStyle(document.body)"
    page = chromium.run(f"{colour}.backgroundColor")
    assert (page == "rgb(13, 18, 24)") == (scheme == "dark")


def test_all_of_it_is_printed(chromium, show):
    """Every card is open on paper and as before afterwards; the filters are left out."""
    show(html.render(drifted()))
    before = chromium.run("return document.querySelectorAll('details[open]').length")
    chromium.run("dispatchEvent(new Event('beforeprint'))")
    assert chromium.run("return document.querySelectorAll('details:not([open])').length") == 0
    chromium.run("dispatchEvent(new Event('afterprint'))")
    assert chromium.run("return document.querySelectorAll('details[open]').length") == before
    chromium.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not chromium.find(".tools").is_displayed()
    chromium.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_without_scripts_everything_is_there(chromium, show):
    """The filters, which would do nothing, are not."""
    disabled = "Emulation.setScriptExecutionDisabled"
    chromium.driver.execute_cdp_cmd(disabled, {"value": True})
    try:
        show(html.render(drifted()))
        assert not chromium.find(".tools").is_displayed()
        lines = chromium.find_all(".line")
        assert [line.is_displayed() for line in lines] == [True] * 6
    finally:
        chromium.driver.execute_cdp_cmd(disabled, {"value": False})
