"""Remove every container and network of the lab: `python -m tests.lab.clean [--images]`.

This ends runs that are going on, too. Images and keys stay, for they are a cache; `--images`
removes the images as well.
"""

import sys

import docker
from docker import DockerClient

from tests.lab import cache

MINE: dict[str, str | list[str] | bool] = {"label": f"{cache.LABEL}=1"}


def clean(engine: DockerClient) -> list[str]:
    """Remove the containers and networks with the lab's label and return their names."""
    removed = []
    for container in engine.containers.list(all=True, filters=MINE):
        container.remove(force=True, v=True)
        removed.append(str(container.name))
    for network in engine.networks.list(filters=MINE):
        network.remove()
        removed.append(str(network.name))
    return removed


def clean_images(engine: DockerClient) -> list[str]:
    """Remove the images with the lab's label and return their tags."""
    tags = [tag for image in engine.images.list(filters=MINE) for tag in image.tags]
    for tag in tags:
        engine.images.remove(tag)
    return tags


def main() -> None:
    """Clean and tell what went."""
    engine = docker.from_env()
    try:
        removed = clean(engine)
        if "--images" in sys.argv[1:]:
            removed += clean_images(engine)
        for name in removed:
            print(f"removed {name}")
    finally:
        engine.close()


if __name__ == "__main__":
    main()
