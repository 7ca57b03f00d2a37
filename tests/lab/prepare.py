"""`python -m tests.lab.prepare`: make the images of the lab that most tests need.

Before the tests, one after the other: a worker that waited for those that others make would come to
the time limit of a test on a new machine.
"""

from __future__ import annotations

import sys

import docker

from tests.lab import images, stack_images


def main() -> None:
    """Make what is missing; with all of it there this takes no time."""
    engine = docker.from_env()
    try:
        for make in (images.droplet, images.bare, images.haproxy, stack_images.node):
            print(f"lab: {make(engine)}", file=sys.stderr)
    finally:
        engine.close()


if __name__ == "__main__":
    main()
