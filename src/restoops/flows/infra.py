"""Terraform of one environment, ready to be run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restoops.adapters.prices import read_prices
from restoops.adapters.terraform import Terraform, Watch
from restoops.adapters.terraform_faults import Module
from restoops.adapters.terraform_words import environment_for
from restoops.adapters.variables import sensitive_values
from restoops.config.roots import Root, find_root
from restoops.errors import Unreachable
from restoops.flows.interrupt import Interrupt
from restoops.plan.cost import prices_of
from restoops.plan.infra_summary import Summary, summarise, without_secrets
from restoops.plan.sensitive import Mask, secrets_of_plan

_TOKENS = ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")
_STOPPING = "stopping: terraform finishes what it has begun, saves the state and unlocks it"


@dataclass(frozen=True, slots=True)
class Desk:
    """An environment's Terraform, what hides its secrets, and who is told of its progress.

    `mask` is for what Terraform marks as sensitive; our own are hidden in all that is printed.
    """

    root: Root
    terraform: Terraform
    mask: Mask
    say: Callable[[str], None]

    @property
    def environment(self) -> str:
        """Name of the environment."""
        return self.root.environment

    def show(self, plan: Path | None = None) -> dict[str, Any]:
        """Return a saved plan, or the state, as JSON; its secrets are masked from now on."""
        found = self.terraform.show(plan)
        self.mask.learn(secrets_of_plan(found))
        return found

    def summarise(self, plan: Mapping[str, Any]) -> Summary:
        """Return what a plan does, with the prices that come with restoops."""
        found = summarise(self.environment, plan, prices_of(read_prices()))
        return without_secrets(found, self.mask)


def open_desk(
    environment: str,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    interrupt: Interrupt,
    *,
    needs_token: bool = False,
    checks_version: bool = True,
) -> Desk:
    """Return the Terraform of `environment`, which is installed and new enough.

    To check the version takes as long as a short command; a saved plan can only be read by the
    terraform that made it, whose version was checked then. `say` has to pass over a terminal that
    was closed: that must not end an apply.

    Raises:
        UsageError: there is no such environment, or no terraform that suits.
        Unreachable: the token is missing and needed.
    """
    root = find_root(environment, start=Path.cwd(), environ=environ)
    if needs_token and not any(environ.get(name) for name in _TOKENS):
        raise Unreachable(
            "the token for DigitalOcean is missing; nothing was asked",
            hint=f"Set {_TOKENS[0]}: a personal access token of the control panel (API, Tokens).",
        )
    mask = Mask(sensitive_values(root.directory, environ))
    module = Module(environment, root.directory, root.shown)
    watch = Watch(say, mask, _stopping(interrupt, say))
    terraform = Terraform(module, watch, environment_for(environ))
    if checks_version:
        terraform.check_version()
    return Desk(root, terraform, mask, say)


def _stopping(interrupt: Interrupt, say: Callable[[str], None]) -> Callable[[], bool]:
    told: list[bool] = []

    def is_stopped() -> bool:
        if interrupt.is_asked and not told:
            told.append(True)
            say(_STOPPING)
        return interrupt.is_asked

    return is_stopped
