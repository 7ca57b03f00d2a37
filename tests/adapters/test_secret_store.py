"""What becomes of the secrets of a release: of one that reads them, of one whose image is gone."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from restoops.adapters.clock import SystemClock
from restoops.adapters.connection import script
from restoops.adapters.files import Files
from restoops.adapters.secret_index import INDEX, parse_index
from restoops.adapters.secret_store import SecretStore, SecretsWish
from restoops.adapters.shell import Shell
from restoops.handover import SecretSet
from restoops.model import ImageName, Placed, Release, Secret, Value
from tests.plan.states import V1, V2, V3

IMAGE = ImageName("ghcr.io", "acme/menu-api")


@dataclass
class Droplet:
    """A host of which only images, files and what was run are known."""

    images: set[str]
    files: dict[str, str] = field(default_factory=dict)
    ran: list[tuple[str, ...]] = field(default_factory=list)
    host: str = "web-1"

    def has_image(self, reference: str) -> bool:
        return reference in self.images

    def services(self, _: object) -> tuple[()]:
        return ()

    def write(self, files: dict[str, str]) -> None:
        self.files |= files

    def run(self, *words: str) -> None:
        self.ran.append(words)


def given(release: Release) -> SecretSet:
    placed = {"PASSWORD": Placed("old", "before")}
    return SecretSet(release.tag, release.digest, "r", "t", "s", is_complete=True, placed=placed)


def test_each_file_is_replaced_whole_while_a_release_reads_it(tmp_path: Path) -> None:
    """Who has the old one open reads it to its end; who opens it anew has the new one."""
    here = tmp_path / "secrets" / "v1-r"
    beside = tmp_path / "secrets" / "v1-r.new"

    def do(*words: str) -> None:
        subprocess.run([*script("secrets"), str(tmp_path), *words], check=True)

    do("make", "v1-r")
    (beside / "KEY").write_text("old" * 100)
    do("place", "v1-r")
    do("make", "v1-r")
    assert (here / "KEY").read_text() == "old" * 100
    (beside / "KEY").write_text("new")
    with (here / "KEY").open() as reader:
        begun = reader.read(30)
        do("update", "v1-r")
        assert begun + reader.read() == "old" * 100

    assert (here / "KEY").read_text() == "new"
    assert [it.name for it in (tmp_path / "secrets").iterdir()] == ["v1-r"]


def test_a_value_that_cannot_be_replaced_goes_unless_a_container_has_it() -> None:
    droplet = Droplet({IMAGE.at(V3.digest)})
    it = cast(Any, droplet)
    wish = SecretsWish("menu-api", IMAGE, "/var/lib/restoops/menu-api")
    sets = (given(V1), given(V2))
    store = SecretStore(lambda: it, cast(Files, it), cast(Shell, it), SystemClock(), wish)
    store.sets = sets

    store.update({"PASSWORD": Value(Secret("x"), "new")}, used=[V2.tag])

    assert droplet.ran == [("secrets", wish.directory, "forget", V1.tag)]
    assert list(store.sets) == [given(V2)]
    assert parse_index(droplet.files[INDEX], "web-1") == store.sets
