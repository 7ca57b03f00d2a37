"""The way in. `--version` answers before anything is imported: scripts ask it often."""

from __future__ import annotations

import gc
import os
import sys

from restoops import __version__


def main() -> None:
    """Run the command line and exit with its status."""
    _open_what_is_closed()
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"restoops {__version__}\n")
        return
    # Loading what a deploy needs makes many objects and hardly any garbage: 40 ms less.
    gc.set_threshold(50_000)
    from restoops.cli.app import leave, run

    leave(run(sys.argv[1:]))


def _open_what_is_closed() -> None:
    """Have all three streams: a scheduler, or `>&-`, may have left some out.

    Else the next file or connection would get the number of one, and be written to as such.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115  for good


if __name__ == "__main__":
    main()
