"""The site in a browser: fit for phone and desk, by day and by night, nothing from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs_text import PROJECT
from tests.lab.browser import Tab, tab
from tests.test_site import build

pytestmark = [pytest.mark.lab, pytest.mark.full]

DESK, PHONE = 1280, 390
PAGES = ("index", "quickstart", "how-it-works", "runbook", "security", "configuration", "init")


OF_THE_THEME = {"landmark-unique", "scrollable-region-focusable"}
"""How it nests its navigation, and that long lines scroll."""


def show(browser: Tab, page: Path, *, scheme: str, width: int) -> None:
    """Open a page as somebody does who was never here: the theme remembers what was chosen."""
    browser.look(scheme=scheme, width=width)
    browser.open(page)
    browser.run("localStorage.clear()")
    browser.open(page)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    assert build(PROJECT, out).returncode == 0
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with tab() as made:
        yield made


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_can_be_read_by_everybody(browser: Tab, site: Path, name: str) -> None:
    for scheme, width in (("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)):
        show(browser, site / f"{name}.html", scheme=scheme, width=width)
        assert browser.run("document.documentElement.scrollWidth") <= width, (scheme, width)
        outside = [it for it in browser.requested() if not it.startswith(("file:", "data:"))]
        assert outside == []
        chosen = {"light": "default", "dark": "slate"}[scheme]
        assert browser.run("document.body.dataset.mdColorScheme") == chosen
        found = [it for it in browser.violations() if it.partition(":")[0] not in OF_THE_THEME]
        assert found == [], (scheme, width)


def test_a_picture_follows_the_colours_of_the_page(browser: Tab, site: Path) -> None:
    colours = set()
    for scheme in ("light", "dark"):
        show(browser, site / "how-it-works.html", scheme=scheme, width=DESK)
        colours.add(browser.run("getComputedStyle(document.querySelector('.rp text')).fill"))
    assert len(colours) == 2
