"""What becomes of a file is decided by three texts: what came, what is here, what comes now."""

import pytest

from restoops.plan.placing import Found, Known, Part, Shipped, Verdict, decide, known_after

OLD, NEW, MINE = b"old\n", b"new\n", b"mine\n"
CAME = Known(Part.ANSIBLE, OLD)


def shipped(content: bytes = OLD, *, is_seed: bool = False) -> Shipped:
    return Shipped("a.yml", Part.ANSIBLE, content, is_seed)


@pytest.mark.parametrize(
    ("brings", "known", "found", "plain", "upgrade"),
    [
        pytest.param(OLD, None, None, "written", "written", id="a new file is written"),
        pytest.param(OLD, None, OLD, "same", "same", id="the same file is nothing to do"),
        pytest.param(OLD, None, MINE, "kept", "kept", id="what was there before stays"),
        pytest.param(OLD, CAME, OLD, "same", "same", id="unedited, nothing new"),
        pytest.param(OLD, CAME, MINE, "kept", "kept", id="edited, nothing new"),
        pytest.param(OLD, CAME, None, "deleted", "deleted", id="deleted files do not come back"),
        pytest.param(NEW, CAME, OLD, "outdated", "replaced", id="unedited, a later version"),
        pytest.param(NEW, CAME, MINE, "outdated", "merged", id="edited, a later version"),
        pytest.param(NEW, CAME, NEW, "same", "same", id="the edit is what the version brings"),
        pytest.param(NEW, CAME, None, "deleted", "deleted", id="deleted, a later version"),
        pytest.param(None, CAME, OLD, "outdated", "removed", id="gone in the version, unedited"),
        pytest.param(None, CAME, MINE, "outdated", "left", id="gone in the version, edited"),
        pytest.param(None, CAME, None, "deleted", "deleted", id="gone in both"),
    ],
)
def test_what_becomes_of_a_file(
    brings: bytes | None, known: Known | None, found: bytes | None, plain: str, upgrade: str
) -> None:
    comes = None if brings is None else shipped(brings)

    assert decide(comes, known, Found(found), is_upgrade=False) == plain
    assert decide(comes, known, Found(found), is_upgrade=True) == upgrade


def test_a_file_with_open_rejects_waits_for_a_person() -> None:
    found = Found(MINE, has_rejects=True)

    assert decide(shipped(NEW), CAME, found, is_upgrade=True) is Verdict.UNSETTLED
    assert known_after(Verdict.UNSETTLED, shipped(NEW), CAME) == CAME


@pytest.mark.parametrize("is_upgrade", [True, False])
def test_a_seed_is_written_once_and_never_looked_at_again(is_upgrade: bool) -> None:
    seed = shipped(NEW, is_seed=True)

    assert decide(seed, None, Found(None), is_upgrade=is_upgrade) is Verdict.WRITTEN
    assert decide(seed, None, Found(MINE), is_upgrade=is_upgrade) is Verdict.YOURS
    assert known_after(Verdict.WRITTEN, seed, None) is None


@pytest.mark.parametrize(
    ("verdict", "comes", "known", "after"),
    [
        pytest.param("written", NEW, None, NEW, id="written: what was written"),
        pytest.param("merged", NEW, OLD, NEW, id="merged: what came, not what was made of it"),
        pytest.param("conflict", NEW, OLD, NEW, id="conflict: told once, not at every upgrade"),
        pytest.param("kept", NEW, None, None, id="a file of others is not ours later"),
        pytest.param("outdated", NEW, OLD, OLD, id="not upgraded: still the old one"),
        pytest.param("deleted", NEW, OLD, OLD, id="deleted: known, or it would come back"),
        pytest.param("left", None, OLD, None, id="left: theirs from now on"),
        pytest.param("removed", None, OLD, None, id="removed"),
    ],
)
def test_what_is_known_afterwards(
    verdict: str, comes: bytes | None, known: bytes | None, after: bytes | None
) -> None:
    brings = None if comes is None else shipped(comes)
    before = None if known is None else Known(Part.ANSIBLE, known)

    found = known_after(Verdict(verdict), brings, before)

    assert found == (None if after is None else Known(Part.ANSIBLE, after))
