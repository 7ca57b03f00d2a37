"""GitHub as a place for the secrets of an environment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restoops.config.load import Chosen
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.secrets_sinks import Sink
    from restoops.model import Value


@contextlib.contextmanager
def github_sinks(
    chosen: Chosen, values: Mapping[str, Value], interrupt: Interrupt | None = None
) -> Iterator[tuple[Sink, ...]]:
    """Lend the repository and the environment of it that are meant.

    Raises:
        Refused: GitHub would not take one of the names; nothing was sent.
        UsageError: it is not known which repository is meant.
    """
    from restoops.adapters.github import Github, find_api, find_token
    from restoops.adapters.github_secrets import SecretPlace
    from restoops.cli.registry import patience
    from restoops.cli.signals import honouring
    from restoops.config.load import folder_of
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.secrets_github import GithubSink, find_repository, refuse_github_names

    refuse_github_names(values)
    secrets = chosen.settings.secrets
    repository = find_repository(secrets.github_repository, folder_of(chosen.file))
    environment = (secrets.github_environment or "{environment}").replace(
        "{environment}", chosen.name
    )
    interrupt = interrupt or Interrupt()
    patient = patience(interrupt)
    client = Github(find_api(chosen.settings.registry.api), find_token(), patient)
    with contextlib.closing(client), honouring(interrupt):
        yield (
            GithubSink(
                f"github {repository} {environment}",
                SecretPlace(client, repository, environment),
                SecretPlace(client, repository),
                frozenset(secrets.github_repository_secrets),
                frozenset(values),
            ),
        )
