"""What commands work with: the settings of an environment, and arguments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from restoops.errors import UsageError

if TYPE_CHECKING:
    from restoops.config.load import Chosen, Loaded


def load_environment(name: str, *, checks_secrets: bool = False) -> Loaded:
    """Load the settings and hosts of an environment; see `config.load.load`.

    Raises:
        CheckRefused: `checks_secrets`, and they are not as their template wants. By then nobody
            was asked anything, not even Terraform for the hosts.
    """
    return find_hosts(choose_environment(name, checks_secrets=checks_secrets))


def choose_environment(name: str, *, checks_secrets: bool = False) -> Chosen:
    """Load the settings of an environment without its hosts; see `load_environment`."""
    from restoops.config.load import choose

    start = Path.cwd()
    chosen = choose(name, start=start, environ=os.environ)
    if chosen.settings.has_secrets:
        from restoops.flows.secrets_check import learn_what_is_at_hand, refuse_unfit

        act = refuse_unfit if checks_secrets else learn_what_is_at_hand
        act(chosen, start=start, environ=os.environ)
    return chosen


def find_hosts(chosen: Chosen) -> Loaded:
    """Return an environment with its hosts, which Terraform may be asked for."""
    from restoops.config.load import with_hosts
    from restoops.flows.connect import terraform_outputs

    return with_hosts(chosen, start=Path.cwd(), terraform_outputs=terraform_outputs)


def configured_environments() -> tuple[str, ...]:
    """Return the environments of restoops.yaml; only `local` when there is no such file."""
    from restoops.config.load import environment_names

    names = environment_names(start=Path.cwd(), environ=os.environ)
    return tuple(name for name in names if name != "local") or names


def tag_argument(text: str) -> str:
    """Return the tag that the operator means.

    Raises:
        UsageError: the text cannot be one.
    """
    from restoops.model import tag_of

    try:
        return tag_of(text)
    except ValueError as error:
        raise UsageError(
            str(error), hint="For example `sha-abc1234`, `main-abc1234`, or a Git SHA: `abc1234`."
        ) from error


def release_argument(text: str) -> str:
    """Return the text if it can name a release that was live: a tag, a Git SHA or a digest.

    Which of them it is, the history of the hosts tells: twelve digits may be a SHA or a digest.

    Raises:
        UsageError: the text cannot be one.
    """
    from restoops.model import is_digest

    if text.startswith("sha256:") and not is_digest(text):
        raise UsageError(
            f"{text!r} is no digest",
            hint="`sha256:` and 64 hexadecimal digits, or the first twelve of them.",
        )
    if not is_digest(text):
        tag_argument(text)
    return text


def batch_argument(text: str) -> str:
    """Return the size of a batch as it was given.

    Raises:
        UsageError: it is neither a number of hosts nor a share.
    """
    from restoops.plan.fleet import in_batches

    try:
        in_batches((), text)
    except ValueError as error:
        raise UsageError(
            f"--batch: {error}", hint="For example `2` or `25%`, of the hosts of an environment."
        ) from error
    return text
