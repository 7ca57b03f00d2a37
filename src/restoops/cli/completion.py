"""What the shell offers on TAB. A fault here must offer nothing and say nothing."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from restoops.errors import RestoopsError

_PATIENCE_S = 3.0


def complete_environment(incomplete: str) -> list[str]:
    """Offer the environments of restoops.yaml."""
    from restoops.config.load import environment_names

    names = environment_names(start=Path.cwd(), environ=os.environ)
    return [name for name in names if name.startswith(incomplete)]


def complete_tag(incomplete: str) -> list[str]:
    """Offer the newest tags of the registry."""
    with contextlib.suppress(RestoopsError, OSError):
        from restoops.cli.context import load_environment
        from restoops.cli.registry import open_registry

        loaded = load_environment(_usual_environment())
        with contextlib.closing(open_registry(loaded, timeout_s=_PATIENCE_S)) as registry:
            return [tag for tag in registry.tags() if tag.startswith(incomplete)][-50:]
    return []


def complete_release(incomplete: str) -> list[str]:
    """Offer the releases that can be gone back to, and the environments: either may come here."""
    names = complete_environment(incomplete)
    with contextlib.suppress(RestoopsError, OSError):
        from restoops.cli.context import load_environment
        from restoops.cli.hosts import opened
        from restoops.plan.fleet import common_history
        from restoops.plan.retention import past_releases

        with opened(load_environment(_usual_environment())) as found:
            history = common_history(found.observe())
        tags = [record.run.release.tag for record in past_releases(history)]
        names += [tag for tag in tags if tag.startswith(incomplete)]
    return names


def _usual_environment() -> str:
    """Return the first environment of the file: the one to complete is not typed yet."""
    names = [name for name in complete_environment("") if name != "local"]
    return names[0] if names else "local"
