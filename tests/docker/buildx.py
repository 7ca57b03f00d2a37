"""Stands in for Docker's plugin buildx, which no package registry has, as far as Compose uses it.

Compose hands it what is to be built; a client with BuildKit in it builds that.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.docker.image import client

ABOUT = {"SchemaVersion": "0.1.0", "Vendor": "restoops", "Version": "v0.30.0"}


def build(target: dict[str, Any]) -> dict[str, str]:
    """Build one target, and return what Compose wants to know of it."""
    argv = [client(), "build", "--file", target["dockerfile"]]
    argv += ["--target", target["target"]] if "target" in target else []
    argv += [f"--tag={tag}" for tag in target["tags"]]
    argv += [f"--build-arg={name}={it}" for name, it in target.get("args", {}).items()]
    argv += [f"--label={name}={it}" for name, it in target.get("labels", {}).items()]
    subprocess.run(
        [*argv, target["context"]], env={**os.environ, "DOCKER_BUILDKIT": "1"}, check=True,
        stdin=subprocess.DEVNULL, stdout=sys.stderr,
    )  # fmt: skip
    inspect = ["docker", "image", "inspect", "--format", "{{.Id}}", target["tags"][0]]
    made = subprocess.run(inspect, check=True, capture_output=True, text=True).stdout.strip()
    return {"containerimage.digest": made}


def main(words: list[str]) -> None:
    """Answer as the plugin does."""
    if "docker-cli-plugin-metadata" in words:
        print(json.dumps(ABOUT))
    elif "bake" in words:
        targets = json.load(sys.stdin)["target"]
        told = {name: build(target) for name, target in targets.items()}
        Path(words[words.index("--metadata-file") + 1]).write_text(json.dumps(told))
    else:
        print(f"github.com/docker/buildx {ABOUT['Version']}")


if __name__ == "__main__":
    main(sys.argv[1:])
