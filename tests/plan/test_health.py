"""Who is to blame for a bad answer, and whether what answers is what was asked for."""

import pytest

from restoops.model import Answer, Release
from restoops.plan.health import another_release, is_everybodys_fault
from tests.plan.states import digest


@pytest.mark.parametrize(
    ("serving", "expected"),
    [
        pytest.param(Answer(503), True, id="the release that serves is sick as well"),
        pytest.param(Answer(500), True, id="whatever its sickness"),
        pytest.param(Answer(200), False, id="the release that serves is well"),
        pytest.param(Answer(0, "refused"), False, id="nothing serves, as before a first deploy"),
        pytest.param(Answer(404), False, id="the path is not there: a wrong setting"),
    ],
)
def test_a_release_is_not_blamed_for_what_is_everybodys_fault(
    serving: Answer, expected: bool
) -> None:
    assert is_everybodys_fault(serving) is expected


@pytest.mark.parametrize(
    ("tag", "body", "other"),
    [
        pytest.param("sha-abc1234", '{"release": {"sha": "abc1234"}}', "", id="the same"),
        pytest.param("sha-abc1234", '{"release": {"sha": "abc1234def5678"}}', "",
                     id="the same in full"),
        pytest.param("main-abc1234def", '{"release": {"sha": "abc1234"}}', "",
                     id="the same, and the tag has more of it"),
        pytest.param("sha-abc1234", '{"release": {"sha": "def5678"}}', "def5678", id="another"),
        pytest.param("main-abc1234", '{"release": {"sha": "def5678"}}', "def5678",
                     id="another than a branch's tag"),
        pytest.param("nightly-20250131", '{"release": {"sha": "def5678"}}', "",
                     id="a tag with a date"),
        pytest.param("build-1234567", '{"release": {"sha": "def5678"}}', "",
                     id="a tag with a number that may be that of a build"),
        pytest.param("v1.2.0", '{"release": {"sha": "def5678"}}', "", id="a tag without a SHA"),
        pytest.param("sha-abc1234", '{"release": {"sha": "unknown"}}', "", id="no SHA is told"),
        pytest.param("sha-abc1234", '{"release": {"sha": 7}}', "", id="no text is told"),
        pytest.param("sha-abc1234", '{"release": "def5678"}', "", id="a release of another form"),
        pytest.param("sha-abc1234", '["def5678"]', "", id="no object"),
        pytest.param("sha-abc1234", "ok", "", id="no JSON"),
        pytest.param("sha-abc1234", "", "", id="nothing at all"),
    ],
)  # fmt: skip
def test_a_release_that_says_it_is_another_one_is_found(tag: str, body: str, other: str) -> None:
    assert another_release(Answer(200, body), Release(tag, digest("it"))) == other
