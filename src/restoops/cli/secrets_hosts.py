"""The hosts of an environment as places for its secrets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from restoops.errors import UsageError

if TYPE_CHECKING:
    from restoops.config.load import Loaded
    from restoops.flows.secrets_sinks import Sink


@contextlib.contextmanager
def host_sinks(loaded: Loaded, wait_s: int, *, dry_run: bool) -> Iterator[tuple[Sink, ...]]:
    """Lend the hosts of an environment, locked."""
    raise UsageError(f"{loaded.environment}: hosts are not served yet ({wait_s}, {dry_run})")
    yield ()
