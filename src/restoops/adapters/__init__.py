"""What touches the world: hosts, registries, files, programs."""

import sys

# httpx loads a command line of its own, with rich, click and pygments (60 ms and 5 MiB), and does
# without it where it is missing.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
