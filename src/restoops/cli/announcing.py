"""Inside GitHub Actions: tell GitHub of a deploy or rollback as a deployment, where that is set."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from restoops.errors import Interrupted, RestoopsError
from restoops.report.job import in_actions

if TYPE_CHECKING:
    from restoops.adapters.deployments import Deployments
    from restoops.config.load import Loaded
    from restoops.flows.announcing import Announcer
    from restoops.report.events import Event, Tell

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@contextlib.contextmanager
def announced(loaded: Loaded, tell: Tell) -> Iterator[Tell]:
    """Yield what to tell in place of `tell`, which is told as well."""
    announcer = _announcer_or_none(loaded)
    if announcer is None:
        yield tell
        return

    def both(event: Event) -> None:
        announcer.tell(event)
        tell(event)

    error: BaseException | None = None
    try:
        yield both
    except BaseException as fault:
        error = fault
        raise
    finally:
        announcer.end(error)


@contextlib.contextmanager
def taken_back(environment: str, loaded: Loaded) -> Iterator[None]:
    """Where the block finds `environment` ill, what this very job deployed there is a failure."""
    try:
        yield
    except Interrupted:
        raise
    except RestoopsError as error:
        _take_back(environment, loaded, error.message)
        raise


def _take_back(environment: str, loaded: Loaded, why: str) -> None:
    try:
        board = _deployments(loaded)
    except Exception as error:  # noqa: BLE001  such as a token that no header can hold
        _warn(f"GitHub was not told that this deployment is ill: {type(error).__name__}")
        return
    if board:
        from restoops.flows.announcing import take_back

        take_back(board, environment, why, _warn)


def _announcer_or_none(loaded: Loaded) -> Announcer | None:
    """Return who tells GitHub; a fault of what that takes must stop no deploy and no rollback."""
    try:
        return _announcer(loaded)
    except RestoopsError as error:
        why = error.message
    except Exception as error:  # noqa: BLE001  such as a token that no header can hold
        why = type(error).__name__
    _warn(f"GitHub is not told of this deployment: {why}")
    return None


def _announcer(loaded: Loaded) -> Announcer | None:
    board = _deployments(loaded)
    if board is None:
        return None
    from restoops.flows.announcing import Announcer

    return Announcer(board, os.environ.get("GITHUB_SHA", ""), _warn)


def _deployments(loaded: Loaded) -> Deployments | None:
    """Return those of the repository that the job is of, if they are wanted and can be written."""
    if not (loaded.settings.github.deployments and in_actions()):
        return None
    from restoops.adapters.github import find_token

    repository = os.environ.get("GITHUB_REPOSITORY", "")
    token = find_token()
    if token is None or not _REPOSITORY.fullmatch(repository):
        return None
    from restoops.adapters.deployments import Deployments, Links
    from restoops.adapters.github import Github, find_api
    from restoops.adapters.patience import Patience
    from restoops.plan.provenance import run_url

    github = Github(
        find_api(loaded.settings.registry.api), token, Patience(time.sleep, lambda _: None)
    )
    links = Links(loaded.settings.public.url or "", run_url(os.environ))
    return Deployments(github, repository, links)


def _warn(text: str) -> None:
    from restoops.report.orders import give, order

    with contextlib.suppress(OSError):
        give(order("warning", text, title="restoops"))
