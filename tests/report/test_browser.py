"""Reports in a real browser: nothing is loaded, nothing complains, everybody can read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restoops.report.html import render
from restoops.report.page import Page
from restoops.report.recalled import page_of
from tests.lab.browser import Tab, tab
from tests.report import pages

pytestmark = pytest.mark.lab

PAGES: dict[str, Callable[[], Page]] = {
    "a deploy that went well": pages.went_well,
    "a deploy that failed": pages.failed,
    "a fleet of sixty": lambda: pages.went_well(60),
    "a run out of the history": lambda: page_of(pages.remembered(), "production"),
    "hostile texts": pages.hostile,
}
PHONE, DESK = 375, 1100


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with tab() as made:
        yield made


@pytest.mark.parametrize(
    "name",
    [pytest.param(it, marks=pytest.mark.full if "sixty" in it else ()) for it in PAGES],
)
def test_a_report_is_fit_for_everybody(browser: Tab, tmp_path: Path, name: str) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(PAGES[name]()))

    for scheme, width in (("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)):
        browser.look(scheme=scheme, width=width)
        browser.open(file)
        assert browser.run("document.documentElement.scrollWidth") <= width, (scheme, width)
        assert [it for it in browser.requested() if not it.startswith("data:")] == [file.as_uri()]
        assert browser.complaints() == []
        assert browser.violations() == [], (scheme, width)


def test_hostile_texts_stay_texts(browser: Tab, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(pages.hostile()))

    browser.look(scheme="light", width=DESK)
    browser.open(file)

    assert browser.run("document.querySelectorAll('script, img, iframe, a').length") == 0
    title = "The deploy of <script>alert(1)</script> on production failed · restoops"
    assert browser.run("document.title") == title
    assert "<img src=x onerror=alert(1)>" in browser.run("document.querySelector('pre').innerText")


def test_a_fault_of_a_page_is_found(browser: Tab, tmp_path: Path) -> None:
    file = tmp_path / "bad.html"
    file.write_text('<p style="color:#eee">pale</p><img src="other.png"><script>oops()</script>')

    browser.look(scheme="light", width=PHONE)
    browser.open(file)

    assert [it for it in browser.requested() if it.endswith("other.png")]
    assert browser.complaints() != []
    assert {it.partition(":")[0] for it in browser.violations()} >= {"image-alt", "html-has-lang"}
