"""How long the lab waits for what comes at once on a machine that has nothing else to do."""

import time
from collections.abc import Callable

PATIENCE_S = 60.0


def eventually(is_so: Callable[[], bool], timeout_s: float = PATIENCE_S) -> bool:
    """Ask until it is so, or until the time is over."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
