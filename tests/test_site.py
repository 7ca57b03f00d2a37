"""The documentation as a site: all links lead somewhere, and nothing is loaded from elsewhere."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from tests.docs_text import PROJECT

DOCS = PROJECT / "docs"
PICTURES = ("host", "phases", "killed")


def build(folder: Path, out: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)


class Page(HTMLParser):
    """What a page links to, what it loads, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") != "canonical":
            self.loads.append(found.get("href", ""))
        elif "src" in found:
            self.loads.append(found["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    done = build(PROJECT, out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}


def test_every_page_is_there_and_in_the_navigation(pages: dict[str, Page]) -> None:
    names = {f"{path.stem}.html" for path in DOCS.glob("*.md")}

    assert names <= pages.keys()
    assert names - set(pages["index.html"].links) <= {"index.html"}


def test_every_link_and_every_anchor_in_the_site_leads_somewhere(
    site: Path, pages: dict[str, Page]
) -> None:
    broken = []
    for name, page in pages.items():
        for link in page.links if name != "404.html" else ():
            if re.match(r"\w+:", link):
                continue
            path, _, anchor = unquote(link).partition("#")
            target = os.path.normpath(Path(name).parent / path) if path else name
            if not (site / target).exists():
                broken.append(f"{name}: {link}")
            elif anchor and anchor not in pages[target].anchors:
                broken.append(f"{name}: {link}: no such anchor")
    assert broken == []
    assert sum(len(page.links) for page in pages.values()) > 500


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    loaded = {it for page in pages.values() for it in page.loads}

    assert [it for it in loaded if re.match(r"(https?:)?//", it)] == []
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert re.findall(r"@import[^;]*http|url\(['\"]?(?:https?:)?//", styles) == []


def test_links_out_of_the_site_lead_to_files_that_there_are(pages: dict[str, Page]) -> None:
    start = "https://github.com/restomarket/restoops/blob/main/"
    found = {it.removeprefix(start) for page in pages.values() for it in page.links if start in it}

    assert "CHANGELOG.md" in found
    assert [it for it in found if not (PROJECT / it.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("picture", PICTURES)
def test_pictures_are_in_the_page_with_words_and_follow_its_colours(
    site: Path, picture: str
) -> None:
    drawing = (DOCS / f"pictures/{picture}.svg").read_text()
    ET.fromstring(drawing)

    assert "--md-default-fg-color" in drawing
    assert "prefers-color-scheme:dark" in drawing
    assert re.search(r"(href|src)=|url\((?!#)", drawing) is None
    title = re.search(r"<title>(.*?)</title>", drawing)
    assert title
    page = (site / "how-it-works.html").read_text()
    assert page.count(f"<title>{title[1]}</title>") == 1
    assert re.search(r'<figure class="rp-figure" role="img" aria-label="[^"]{40,}"', page)


def test_plots_are_in_the_page_and_follow_its_colours(site: Path) -> None:
    page = (site / "benchmarks.html").read_text()
    plots = [path.read_text() for path in (DOCS / "benchmarks").glob("*.svg")]

    assert plots
    assert page.count('<svg xmlns="http://www.w3.org/2000/svg" class="rb"') == len(plots)
    for drawing in plots:
        assert "--md-default-fg-color" in drawing
        assert re.findall(r"<title>.*?</title>", drawing)[0] in page


def test_the_layers_in_the_architecture_are_those_that_are_held() -> None:
    from tests.test_layers import LAYERS

    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "architecture.md").read_text(), re.MULTILINE)

    assert sorted(rows) == sorted(LAYERS)


@pytest.mark.parametrize("fault", ["[a](nowhere.md)", "[a](deploy.md#nowhere)", "![a](no.svg)"])
def test_a_broken_link_breaks_the_build(tmp_path: Path, fault: str) -> None:
    for name in ("mkdocs.yml", "scripts/docs_site.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    (tmp_path / "docs").mkdir()
    nav = "nav:\n  - index.md\n  - How to: [deploy.md]\n"
    settings = (tmp_path / "mkdocs.yml").read_text().partition("nav:\n  - Start")[0]
    (tmp_path / "mkdocs.yml").write_text(settings.replace("pictures/site.css", "") + nav)
    (tmp_path / "docs/deploy.md").write_text("# Deploy\n")
    (tmp_path / "docs/index.md").write_text("# Here\n[b](deploy.md#deploy)\n")
    assert build(tmp_path, tmp_path / "out").returncode == 0

    (tmp_path / "docs/index.md").write_text(f"# Here\n{fault}\n")

    assert build(tmp_path, tmp_path / "out").returncode == 1
