"""Which tags keep their image."""

from __future__ import annotations

import pytest

from restoops.contents import subject_of_tag
from restoops.plan.ages import age_s
from restoops.plan.tags import TagRules, matches
from tests.plan.registries import RULES
from tests.plan.states import digest


@pytest.mark.parametrize(
    "tag",
    [
        "latest", "stable", "v1.2.3", "1.0.0", "2.0.0-rc.1", "1.2.3-abc1234", "1.2.3_build.5",
        "main", "develop", "feature-login", "release-20250131", "v1", "v1.2", "nightly", "pr-17",
        "sha-nothing", "feature-decade", "deadbeefs",
    ],
)  # fmt: skip
def test_a_tag_that_names_no_single_build_keeps_its_image(tag: str) -> None:
    assert RULES.why_protected([tag])


@pytest.mark.parametrize(
    "tag",
    [
        "abc1234", "sha-abc1234", "main-abc1234", "feature-login-0123456", "develop-1234567",
        f"sha-{'0123456789' * 4}", f"main-{'a' * 40}", "sha-abc12345", "fix-deadbeef",
    ],
)  # fmt: skip
def test_a_tag_of_a_single_build_does_not(tag: str) -> None:
    assert RULES.why_protected([tag]) == ""


def test_the_rule_is_named() -> None:
    assert RULES.why_protected(["sha-abc1234", "v1.2.3"]) == "tag v1.2.3 is protected by <semver>"
    assert RULES.why_protected(["main"]) == "tag main names no single build"


def test_what_an_operator_calls_a_build_may_go() -> None:
    rules = TagRules(RULES.protected, (*RULES.builds, "pr-*"))

    assert rules.why_protected(["pr-17"]) == ""
    assert rules.why_protected(["pr-17", "latest"])


@pytest.mark.parametrize(
    ("pattern", "tag", "is_met"),
    [
        ("v*", "v1", True),
        ("v*", "dev", False),
        ("v?", "v12", False),
        ("a.b", "axb", False),
        ("main-<sha>", "main-abc1234", True),
        ("main-<sha>", "maine-abc1234", False),
        ("<semver>", "01.2.3", False),
    ],
)
def test_patterns(pattern: str, tag: str, is_met: bool) -> None:
    assert matches(pattern, tag) is is_met


def test_a_tag_can_say_what_it_is_about() -> None:
    it = digest("a")
    name = f"sha256-{it.value[7:]}"

    assert subject_of_tag(name) == subject_of_tag(f"{name}.sig") == it
    assert subject_of_tag("sha256-abc") is None
    assert subject_of_tag("main") is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400), ("12h", 43_200), ("30d", 2_592_000), ("8w", 4_838_400)]
)
def test_an_age(text: str, seconds: int) -> None:
    assert age_s(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "30", "30 d", "-1d", "1y", "1.5d", "9999999d"])
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(ValueError, match="is no age"):
        age_s(text)
