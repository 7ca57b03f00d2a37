"""Inside GitHub Actions: tell GitHub of a deploy or rollback as a deployment, where that is set."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from restoops.errors import RestoopsError
from restoops.report.job import in_actions

if TYPE_CHECKING:
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
    from restoops.adapters.github import find_token

    repository, commit = (os.environ.get(f"GITHUB_{it}", "") for it in ("REPOSITORY", "SHA"))
    token = find_token()
    is_wanted = loaded.settings.github.deployments and in_actions()
    if not is_wanted or token is None or not _REPOSITORY.fullmatch(repository):
        return None
    from restoops.adapters.deployments import Deployments, Links
    from restoops.adapters.github import Github, find_api
    from restoops.adapters.patience import Patience
    from restoops.flows.announcing import Announcer
    from restoops.plan.provenance import run_url

    github = Github(
        find_api(loaded.settings.registry.api), token, Patience(time.sleep, lambda _: None)
    )
    links = Links(loaded.settings.public.url or "", run_url(os.environ))
    return Announcer(Deployments(github, repository, links), commit, _warn)


def _warn(text: str) -> None:
    from restoops.report.orders import give, order

    with contextlib.suppress(OSError):
        give(order("warning", text, title="restoops"))
