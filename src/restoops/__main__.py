"""The way in. `--version` answers before anything is imported: scripts ask it often."""

from __future__ import annotations

import gc
import sys

from restoops import __version__


def main() -> None:
    """Run the command line and exit with its status."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"restoops {__version__}\n")
        return
    # Loading what a deploy needs makes many objects and hardly any garbage: 40 ms less.
    gc.set_threshold(50_000)
    from restoops.cli.app import leave, run

    leave(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
