"""The address that clients use, from the settings or from Terraform."""

from __future__ import annotations

from pathlib import Path

from restoops.adapters.terraform import read_output
from restoops.config.forms import PUBLIC_URL
from restoops.config.load import Loaded
from restoops.errors import UsageError


def public_url(loaded: Loaded) -> str | None:
    """Return the address that clients use; None when neither settings nor Terraform name one.

    Raises:
        UsageError: Terraform's output is no such address.
        Unreachable: Terraform's state cannot be read.
    """
    terraform = loaded.terraform
    if loaded.settings.public.url or terraform is None or terraform.url is None:
        return loaded.settings.public.url
    folder = loaded.file.parent if loaded.file else Path()
    found = read_output(folder / terraform.directory, terraform.url)
    if not isinstance(found, str) or not PUBLIC_URL.is_met_by(found):
        command = f"terraform -chdir={terraform.directory} output {terraform.url}"
        raise UsageError(
            f"Terraform output `{terraform.url}` of {terraform.directory} should be "
            f"{PUBLIC_URL.meaning}",
            hint=f"`{command}` shows it; or set `public.url`.",
        )
    return found
