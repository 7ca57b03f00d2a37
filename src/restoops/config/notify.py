"""The section of `restoops.yaml` about who is told of a run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from restoops.config.forms import ReportUrl, SecretPlace
from restoops.config.section import Section


class Notify(Section):
    """Who is told how a deploy or rollback ended. Nothing of it changes how that ends."""

    slack: SecretPlace | None = None
    """Environment variable, or file (a path with `/`), that holds the URL of a Slack webhook. Never
    the URL: it is a secret."""
    webhook: SecretPlace | None = None
    """The same, for the URL of any service that takes JSON by POST."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 8
    """Seconds for all messages and what is sent again of them; then the command ends."""
    report_url: ReportUrl | None = None
    """Where the report of a run can be read, if you put it anywhere; `{run}` stands for the name of
    the run."""
