"""What this version of restoops brings into a repository, and where it goes there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from restoops.adapters.git import tracked_files
from restoops.config.load import FILE_NAME
from restoops.config.shipped import is_checkout, shipped_files
from restoops.config.template import render
from restoops.plan.placing import Part, Shipped

_IGNORED = """\
# What else is in the repository has no part in the image.
.github
.restoops
/ansible
/docker
/docs
/terraform
"""


@dataclass(frozen=True, slots=True)
class _Place:
    """A directory or file that comes with restoops, and where it goes.

    Attributes:
        source: below the directory of what comes with restoops.
        target: below the repository's top.
        adapt: what is different there.
    """

    source: str
    target: str
    adapt: Callable[[str], str] = str


def _from_docker(text: str) -> str:
    """Return a compose file whose build begins at the directory above, the repository's top."""
    start = "context: .\n"
    found = text.find(start)
    indent = text[:found].rpartition("\n")[2]
    moved = f"context: ..\n{indent}dockerfile: docker/Dockerfile\n"
    return text.replace(start, moved).replace("path: ./", "path: ../")


def _for_whole_repository(text: str) -> str:
    return f"{text.rstrip()}\n{_IGNORED}"


_PLACES: dict[Part, tuple[_Place, ...]] = {
    Part.TERRAFORM: (_Place("terraform", "terraform"),),
    Part.ANSIBLE: (_Place("ansible", "ansible"),),
    Part.DOCKER: (
        _Place("docker/Dockerfile", "docker/Dockerfile"),
        _Place("docker/.dockerignore", "docker/Dockerfile.dockerignore", _for_whole_repository),
        _Place("docker/docker-compose.dev.yml", "docker/docker-compose.dev.yml", _from_docker),
        _Place(
            "docker/docker-compose.staging.yml", "docker/docker-compose.staging.yml", _from_docker
        ),
        _Place("docker/.env.development.example", "docker/.env.development.example"),
        _Place("docker/.env.staging.example", "docker/.env.staging.example"),
    ),
    Part.ENV: (_Place("templates", ""),),
    Part.GITHUB: (_Place("templates/github", ".github"),),
}
# Nearly every repository has one, with lines of its own: there is nothing to compare.
_SEEDS = frozenset({".gitignore"})


def brought(parts: frozenset[Part]) -> dict[str, Shipped]:
    """Return the files of some parts, by their path in a repository.

    Raises:
        StepFailed: restoops runs from a checkout that git cannot read.
    """
    files = {}
    if Part.CONFIG in parts:
        seed = Shipped(FILE_NAME, Part.CONFIG, render().encode(), is_seed=True)
        files[seed.path] = seed
    top = shipped_files()
    for part in Part:
        for place in _PLACES.get(part, ()) if part in parts else ():
            for source, target in _files(top, place):
                text = (top / source).read_bytes().decode()
                content = place.adapt(text).encode()
                files[target] = Shipped(target, part, content, is_seed=target in _SEEDS)
    return files


def _files(top: Path, place: _Place) -> Iterator[tuple[str, str]]:
    for source in sorted(_listed(top, place.source)):
        inner = source.removeprefix(place.source).removeprefix("/")
        if place.source == "templates" and inner.startswith("github/"):
            continue  # a part of its own
        target = "/".join(filter(None, (place.target, inner)))
        yield source, target


def _listed(top: Path, source: str) -> Iterator[str]:
    """Yield files below `source`; in a checkout only those of git: others lie around there, too."""
    if is_checkout():
        yield from (name for name in tracked_files(top, source) if (top / name).is_file())
    elif (top / source).is_file():
        yield source
    else:
        # What pip compiled while it installed the package is none of it.
        found = (it for it in (top / source).rglob("*") if it.is_file() and it.suffix != ".pyc")
        yield from (path.relative_to(top).as_posix() for path in found)
