"""`restoops init` in real directories with the real git: no edit is ever lost."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from restoops.adapters import tree
from restoops.adapters.manifest import PATH, Entry, Manifest, parse, render, sha256_of
from restoops.errors import Interrupted, Refused, UsageError
from restoops.flows.init import Plan, Wish, carry_out, prepare
from restoops.flows.init_source import brought
from restoops.plan.placing import Part, Shipped

ALL = frozenset(Part)
TEXT = "".join(f"line {number}\n" for number in range(20))


class Version:
    """What a version of restoops brings."""

    def __init__(self, **files: str) -> None:
        self.files = {
            path: Shipped(path, Part.TERRAFORM, text.encode())
            for path, text in ((name.replace("__", "/"), text) for name, text in files.items())
        }

    def __call__(self, parts: frozenset[Part]) -> Mapping[str, Shipped]:
        return {path: it for path, it in self.files.items() if it.part in parts}


def bring(root: Path, version: Version, *, upgrade: bool = False) -> dict[str, str]:
    """Carry it out and return the verdicts."""
    plan = prepare(Wish(root, ALL, upgrade), version)
    carry_out(plan)
    return verdicts(plan)


def verdicts(plan: Plan) -> dict[str, str]:
    return {path: placing.verdict.value for path, placing in plan.placings.items()}


def snapshot(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    version = Version(a=TEXT, terraform__b=TEXT)
    assert bring(tmp_path, version) == {"a": "written", "terraform/b": "written"}
    before = snapshot(tmp_path)

    assert bring(tmp_path, version) == {"a": "same", "terraform/b": "same"}
    assert snapshot(tmp_path) == before


def test_an_edited_file_is_kept_and_the_edit_is_shown(tmp_path: Path) -> None:
    bring(tmp_path, Version(a=TEXT))
    (tmp_path / "a").write_text(TEXT + "mine\n")

    plan = prepare(Wish(tmp_path, ALL), Version(a=TEXT))
    carry_out(plan)

    assert verdicts(plan) == {"a": "kept"}
    assert "\n+mine\n" in plan.placings["a"].diff
    assert (tmp_path / "a").read_text() == TEXT + "mine\n"


def test_an_upgrade_merges_what_is_new_with_the_edits(tmp_path: Path) -> None:
    bring(tmp_path, Version(a=TEXT, b=TEXT))
    (tmp_path / "a").write_text(TEXT + "mine\n")
    later = Version(a="new\n" + TEXT, b="new\n" + TEXT, c=TEXT)

    assert bring(tmp_path, later) == {"a": "outdated", "b": "outdated", "c": "written"}
    assert bring(tmp_path, later, upgrade=True) == {"a": "merged", "b": "replaced", "c": "same"}

    assert (tmp_path / "a").read_text() == "new\n" + TEXT + "mine\n"
    assert (tmp_path / "b").read_text() == "new\n" + TEXT
    assert bring(tmp_path, later, upgrade=True)["a"] == "kept"


def test_what_cannot_be_merged_stays_and_what_is_new_lies_beside_it(tmp_path: Path) -> None:
    bring(tmp_path, Version(a=TEXT))
    edited = TEXT.replace("line 3", "mine")
    (tmp_path / "a").write_text(edited)
    later = Version(a=TEXT.replace("line 3", "theirs"))

    assert bring(tmp_path, later, upgrade=True) == {"a": "conflict"}

    assert (tmp_path / "a").read_text() == edited
    rejects = (tmp_path / "a.rej").read_text()
    assert "-line 3\n+theirs\n" in rejects
    # What was told once is settled by its owner; what comes next waits for that.
    assert bring(tmp_path, later, upgrade=True) == {"a": "kept"}
    last = Version(a=TEXT.replace("line 3", "theirs").replace("line 9", "nine"))
    assert bring(tmp_path, last, upgrade=True) == {"a": "unsettled"}
    assert (tmp_path / "a.rej").read_text() == rejects
    (tmp_path / "a.rej").unlink()
    assert bring(tmp_path, last, upgrade=True) == {"a": "merged"}
    assert (tmp_path / "a").read_text() == edited.replace("line 9", "nine")


def test_what_a_version_has_no_more_goes_unless_it_was_edited(tmp_path: Path) -> None:
    bring(tmp_path, Version(old__a=TEXT, b=TEXT, c=TEXT))
    (tmp_path / "b").write_text("mine\n")

    told = bring(tmp_path, Version(c=TEXT), upgrade=True)

    assert told == {"old/a": "removed", "b": "left", "c": "same"}
    assert not (tmp_path / "old").exists()
    assert (tmp_path / "b").read_text() == "mine\n"
    assert bring(tmp_path, Version(c=TEXT), upgrade=True) == {"c": "same"}


def test_a_file_that_was_deleted_does_not_come_back(tmp_path: Path) -> None:
    bring(tmp_path, Version(a=TEXT, b=TEXT))
    (tmp_path / "a").unlink()

    assert bring(tmp_path, Version(a="new\n", b=TEXT), upgrade=True)["a"] == "deleted"
    assert not (tmp_path / "a").exists()


def test_an_upgrade_looks_only_at_the_parts_that_were_brought(tmp_path: Path) -> None:
    first = prepare(Wish(tmp_path, frozenset({Part.ENV})))
    carry_out(first)

    again = prepare(Wish(tmp_path, is_upgrade=True))

    assert {it.part for it in again.placings.values()} == {Part.ENV}
    with pytest.raises(Refused, match="was brought by"):
        prepare(Wish(tmp_path / "apps", is_upgrade=True))


@pytest.mark.parametrize("reached", range(5))
def test_a_run_that_is_cut_off_is_gone_on_with(tmp_path: Path, reached: int) -> None:
    names = ("a", "b", "c")
    bring(tmp_path, Version(**dict.fromkeys(names, TEXT)))
    edited = TEXT.replace("line 3", "line 3, mine")
    (tmp_path / "a").write_text(edited)
    (tmp_path / "b").write_text(edited)
    # Next to the edit: merged a second time, it would not merge.
    later = Version(**dict.fromkeys(names, TEXT.replace("line 5", "line 5, new")))
    calls = 0

    def cut_off(place: Path, content: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls > reached:
            raise KeyboardInterrupt
        tree.replace(place, content)

    with pytest.raises(Interrupted):
        carry_out(prepare(Wish(tmp_path, ALL, is_upgrade=True), later), cut_off)
    bring(tmp_path, later, upgrade=True)

    whole = edited.replace("line 5", "line 5, new")
    assert [(tmp_path / name).read_text() for name in names] == [
        whole, whole, TEXT.replace("line 5", "line 5, new"),
    ]  # fmt: skip
    assert set(bring(tmp_path, later, upgrade=True).values()) == {"kept", "same"}
    assert [path for path in snapshot(tmp_path) if ".restoops-" in path] == []
    assert parse((tmp_path / PATH).read_bytes(), "").pending == {}


@pytest.mark.parametrize("link", ["terraform", "terraform/main.tf", ".restoops"])
def test_nothing_is_written_through_a_link_that_leads_out(tmp_path: Path, link: str) -> None:
    root, outside = tmp_path / "repo", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("theirs\n")
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(outside / "file" if "." in link[1:] else outside)

    with pytest.raises(Refused, match="leads out of"):
        bring(root, Version(**{"terraform__main.tf": TEXT, "a": TEXT}))

    assert snapshot(outside) == {"file": b"theirs\n"}
    assert not (root / "a").exists()


def test_a_link_within_the_repository_is_followed(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    (tmp_path / "terraform").symlink_to("infra")

    bring(tmp_path, Version(**{"terraform__main.tf": TEXT}))

    assert (tmp_path / "infra/main.tf").read_text() == TEXT
    assert (tmp_path / "terraform").is_symlink()


@pytest.mark.parametrize("obstacle", ["directory", "file for a directory", "broken link"])
def test_what_is_in_the_way_is_told_before_anything_is_written(
    tmp_path: Path, obstacle: str
) -> None:
    if obstacle == "directory":
        (tmp_path / "terraform/main.tf").mkdir(parents=True)
    elif obstacle == "broken link":
        (tmp_path / "terraform").mkdir()
        (tmp_path / "terraform/main.tf").symlink_to("nowhere")
    else:
        (tmp_path / "terraform").write_text("")
    before = snapshot(tmp_path)

    with pytest.raises(Refused, match=r"main\.tf"):
        bring(tmp_path, Version(**{"a": TEXT, "terraform__main.tf": TEXT}))

    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", '{"v": 2}', "<<<<<<<", '{"v": 1, "files": {}, "pending": {}}'),
        '{"v": 1, "restoops": "1", "files": {"a": {"base": "x"}}, "pending": {}}',
    ],
)
def test_a_damaged_manifest_is_told_and_nothing_is_changed(tmp_path: Path, text: str) -> None:
    (tmp_path / ".restoops").mkdir()
    (tmp_path / PATH).write_text(text)

    with pytest.raises(UsageError, match="manifest"):
        bring(tmp_path, Version(a=TEXT))

    assert snapshot(tmp_path) == {PATH: text.encode()}


def test_an_altered_text_in_the_manifest_is_found() -> None:
    kept = render(Manifest({"a": Entry("terraform", b"x")}))
    altered = kept.replace(sha256_of(b"x").encode(), sha256_of(b"y").encode())

    assert parse(kept, "").files == {"a": Entry("terraform", b"x")}
    with pytest.raises(UsageError, match="damaged"):
        parse(altered, "manifest")


@pytest.mark.parametrize("upgrade", [True, False])
def test_an_older_restoops_takes_nothing_back(tmp_path: Path, upgrade: bool) -> None:
    carry_out(prepare(Wish(tmp_path, ALL), Version(a=TEXT), "1.10.0"))
    before = snapshot(tmp_path)

    with pytest.raises(Refused, match=r"came with restoops 1\.10\.0, and this is 1\.9\.2"):
        prepare(Wish(tmp_path, ALL, upgrade), Version(a="old\n"), "1.9.2")

    carry_out(prepare(Wish(tmp_path, ALL), Version(a=TEXT), "2.0.0"))
    assert snapshot(tmp_path) == before  # brought by 1.10.0 until there is an upgrade
    carry_out(prepare(Wish(tmp_path, ALL, is_upgrade=True), Version(a=TEXT), "2.0.0"))
    assert parse((tmp_path / PATH).read_bytes(), "").restoops == "2.0.0"


def test_modes_survive(tmp_path: Path) -> None:
    script = "#!/bin/sh\ntrue\n"
    bring(tmp_path, Version(script=script, text="a\n"))
    assert [(tmp_path / name).stat().st_mode & 0o111 != 0 for name in ("script", "text")] == [
        True, False,
    ]  # fmt: skip
    (tmp_path / "text").chmod(0o640)

    bring(tmp_path, Version(script=script, text="b\n"), upgrade=True)

    assert (tmp_path / "text").stat().st_mode & 0o777 == 0o640


def test_no_secret_and_nothing_generated_is_brought() -> None:
    paths = brought(ALL)

    assert len(paths) > 100
    assert {"restoops.yaml", "docker/Dockerfile", ".env.example"} <= paths.keys()
    odd = [
        path
        for path in paths
        if path.endswith((".env", ".tfvars", ".tfstate", ".rej")) or "node_modules" in path
    ]
    assert odd == []
