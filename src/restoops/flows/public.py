"""The address that clients use, from the settings or from Terraform, and how it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from restoops.adapters.terraform import read_output
from restoops.config.forms import PUBLIC_URL
from restoops.config.load import Loaded, folder_of
from restoops.errors import UsageError
from restoops.flows.open import smoke_settings
from restoops.flows.outside import Outside
from restoops.model import Question
from restoops.report.events import Tell

if TYPE_CHECKING:
    from restoops.adapters.public import PublicSite


def public_url(loaded: Loaded) -> str | None:
    """Return the address that clients use; None when neither settings nor Terraform name one.

    Raises:
        UsageError: Terraform's output is no such address.
        Unreachable: Terraform's state cannot be read.
    """
    terraform = loaded.terraform
    if loaded.settings.public.url or terraform is None or terraform.url is None:
        return loaded.settings.public.url
    folder = folder_of(loaded.file)
    found = read_output(folder / terraform.directory, terraform.url)
    if not isinstance(found, str) or not PUBLIC_URL.is_met_by(found):
        command = f"terraform -chdir={terraform.directory} output {terraform.url}"
        raise UsageError(
            f"Terraform output `{terraform.url}` of {terraform.directory} should be "
            f"{PUBLIC_URL.meaning}",
            hint=f"`{command}` shows it; or set `public.url`.",
        )
    return found


def site_of(loaded: Loaded, url: str) -> PublicSite:
    """Return the public address, ready to be asked."""
    from restoops.adapters.public import PublicSite

    public = loaded.settings.public
    ca = Path(public.ca).expanduser() if public.ca else None
    return PublicSite(url, ca=ca, timeout_s=public.timeout_s)


def outside_of(loaded: Loaded, tell: Tell) -> Outside:
    """Return who asks the public address around a deploy; nobody without smoke checks.

    Raises:
        UsageError: Terraform's output is no address.
        Unreachable: Terraform's state cannot be read.
    """
    smoke = smoke_settings(loaded.settings)
    url = public_url(loaded) if smoke.checks else None
    if url is None:
        return Outside()
    first = Question(loaded.settings.health.path, timeout_s=loaded.settings.public.timeout_s)
    return Outside(site_of(loaded, url), smoke, first, tell)
