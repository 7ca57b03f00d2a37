"""What MkDocs does with a page beside rendering it; `mkdocs.yml` names this file as a hook."""

import re
from pathlib import Path
from typing import Any

PICTURE = re.compile(r"^!\[([^\]]*)\]\(((?:pictures|benchmarks)/[\w-]+\.svg)\)$", re.MULTILINE)
OUTSIDE = re.compile(r"\]\(\.\./([^)]+)\)")


def on_config(config: Any) -> Any:
    """Have every page in the navigation: one that is named nowhere comes last under `How to`."""
    known = set(_pages(config.nav))
    folder = Path(config.docs_dir)
    for name in sorted(path.name for path in folder.glob("*.md")):
        if name not in known:
            section = next(part["How to"] for part in config.nav if "How to" in part)
            section.append({name.removesuffix(".md"): name})
    return config


def _pages(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in _pages(part)]


def on_page_markdown(text: str, *, config: Any, **_: Any) -> str:
    """Lead links out of docs/ to the source, and put pictures into the page itself.

    There they follow the colours that the reader has chosen.
    """
    text = OUTSIDE.sub(lambda link: f"]({config.extra['source']}/blob/main/{link[1]})", text)
    return PICTURE.sub(
        lambda picture: _figure(Path(config.docs_dir) / picture[2], picture[1]), text
    )


def _figure(path: Path, words: str) -> str:
    drawing = re.sub(r">\s+<", "><", path.read_text())
    return f'<figure class="rp-figure" role="img" aria-label="{words}">{drawing}</figure>'
