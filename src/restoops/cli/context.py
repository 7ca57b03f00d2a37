"""What commands work with: the settings and hosts of an environment."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

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

        if checks_secrets:
            found = refuse_unfit(chosen, start=start, environ=os.environ)
            return replace(chosen, secrets=found)
        learn_what_is_at_hand(chosen, start=start, environ=os.environ)
    return chosen


def find_hosts(chosen: Chosen) -> Loaded:
    """Return an environment with its hosts, which Terraform may be asked for."""
    from restoops.config.load import with_hosts
    from restoops.flows.connect import terraform_outputs

    return with_hosts(chosen, start=Path.cwd(), terraform_outputs=terraform_outputs)


def configured_environments() -> tuple[str, ...]:
    """Return the environments of restoops.yaml; `local` only where there is no other."""
    from restoops.config.load import environment_names

    names = environment_names(start=Path.cwd(), environ=os.environ)
    return tuple(name for name in names if name != "local") or names
