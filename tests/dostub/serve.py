"""Ways to hand the stand-in to Terraform.

- `running(cloud)`: a server within the test, named to Terraform by TF_REATTACH_PROVIDERS;
- `install(folder)`: a mirror of providers, for a Terraform that starts its provider itself;
- `python -m tests.dostub.serve`: what such a Terraform starts.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
import tf.provider
import tf.runner
from tf.gen import tfplugin_pb2_grpc as rpc

from tests.dostub.cloud import Cloud
from tests.dostub.provider import ADDRESS, Servicer

VERSION = "2.99.1"
PROJECT = Path(__file__).parent.parent.parent


def main() -> None:
    """Serve the account of DOSTUB_CLOUD to the Terraform that started us."""
    tf.provider.ProviderServicer = lambda *_: Servicer()  # the runner looks it up when it is called
    tf.runner.run_provider(None, ["provider"])


def install(folder: Path, version: str = VERSION) -> Path:
    """Write a mirror with the stand-in in it; return the configuration for TF_CLI_CONFIG_FILE."""
    mirror = folder.resolve() / "mirror"
    name = f"terraform-provider-digitalocean_v{version}"
    program = mirror / ADDRESS / version / "linux_amd64" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    start = f"PYTHONPATH={PROJECT} exec {sys.executable} -m tests.dostub.serve"
    program.write_text(f"#!/bin/sh\n{start}\n")
    program.chmod(0o755)
    config = folder / "terraformrc"
    config.write_text(
        "disable_checkpoint = true\n"
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
    )
    return config


@contextmanager
def running(cloud: Cloud) -> Iterator[dict[str, str]]:
    """Serve `cloud`, and yield the variables that make Terraform use it.

    `terraform init` then installs no provider, and a command takes a fraction of a second.
    """
    server = grpc.server(futures.ThreadPoolExecutor(16))
    rpc.add_ProviderServicer_to_server(Servicer(cloud), server)
    with tempfile.TemporaryDirectory(prefix="dostub") as folder:
        socket = f"{folder}/s"
        server.add_insecure_port(f"unix://{socket}")
        server.start()
        try:
            yield {"TF_REATTACH_PROVIDERS": json.dumps({ADDRESS: _reattach(socket)})}
        finally:
            server.stop(None).wait()


def _reattach(socket: str) -> dict[str, object]:
    return {
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": os.getpid(),
        "Test": True,  # Terraform leaves us running when it ends
        "Addr": {"Network": "unix", "String": socket},
    }


if __name__ == "__main__":
    main()
