"""The evaluator of expressions says what GitHub says, and nothing of what it does not know."""

import pytest

from tests.actions.expressions import Scope, UnknownExpression
from tests.actions.workflows import workflow

CONTEXTS = {
    "github": {"ref": "refs/heads/develop", "event": {"pull_request": None}, "sha": "ABC"},
    "inputs": {"dry-run": True, "keep": "", "tag": "$(touch x)"},
    "needs": {"a": {"result": "success"}, "b": {"result": "skipped"}},
}


def scope(*, is_well: bool = True) -> Scope:
    return Scope(
        CONTEXTS,
        {
            "success": lambda: is_well,
            "failure": lambda: not is_well,
            "always": lambda: True,
            "contains": lambda where, what: what in where,
        },
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("github.ref == 'refs/heads/develop'", True),
        ("github.sha == 'abc'", True),
        ("!github.event.pull_request.head.repo.fork", True),
        ("inputs.dry-run && '--dry-run' || ''", "--dry-run"),
        ("inputs.keep || 5", 5),
        ("inputs.keep != '' || (true && false)", False),
        ("contains(needs.*.result, 'skipped')", True),
        ("inputs.nothing == ''", True),
        ("'it''s'", "it's"),
    ],
)
def test_a_value(expression: str, value: object) -> None:
    assert scope().value(expression) == value


@pytest.mark.parametrize(
    "expression", ["secrets.X", "toJSON(github)", "github[0]", "1 < 2", "a b", "", "(true", "x.y"]
)
def test_what_is_not_known_is_an_error(expression: str) -> None:
    with pytest.raises(UnknownExpression):
        scope().value(expression)


def test_a_condition_that_asks_for_no_status_wants_success() -> None:
    assert scope().holds("inputs.dry-run")
    assert not scope(is_well=False).holds("inputs.dry-run")
    assert scope(is_well=False).holds("failure() && inputs.dry-run")
    assert scope(is_well=False).holds("${{ always() }}")
    assert not scope(is_well=False).holds(None)


def test_a_text_is_filled_in_once() -> None:
    assert scope().text("a ${{ inputs.tag }}${{ inputs.keep }} b") == "a $(touch x) b"


@pytest.mark.parametrize(
    ("ref", "is_branch", "is_latest"),
    [
        ("refs/heads/main", "true", "true"),
        ("refs/heads/develop", "true", "false"),
        ("refs/tags/main", "false", "false"),
    ],
)
def test_only_main_is_the_latest(ref: str, is_branch: str, is_latest: str) -> None:
    image = workflow("ci-cd")["jobs"]["docker-build"]["steps"]
    tags = next(it for it in image if it.get("id") == "names")["with"]["tags"]
    kind = "tag" if "tags" in ref else "branch"
    lines = Scope({"github": {"ref": ref, "ref_type": kind}}).text(tags).splitlines()
    assert lines == [
        "type=sha,prefix=sha-,format=short,priority=1000",
        "type=ref,event=branch",
        f"type=sha,prefix={{{{branch}}}}-,format=short,enable={is_branch}",
        f"type=raw,value=latest,enable={is_latest}",
    ]


@pytest.mark.parametrize(
    ("event", "ref", "deploys"),
    [
        ("push", "refs/heads/develop", True),
        ("push", "refs/heads/main", False),
        ("push", "refs/heads/develop2", False),
        ("push", "refs/tags/develop", False),
        ("pull_request", "refs/heads/develop", False),
        ("workflow_dispatch", "refs/heads/develop", False),
    ],
)
def test_only_a_push_to_develop_deploys(event: str, ref: str, deploys: bool) -> None:
    condition = workflow("ci-cd")["jobs"]["deploy-staging"]["if"]
    github = {"event_name": event, "ref": ref}
    for is_well in (True, False):
        functions = {"success": lambda is_well=is_well: is_well}
        found = Scope({"github": github}, functions).holds(condition)
        assert found == (deploys and is_well)
