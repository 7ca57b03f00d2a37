"""From an environment to a connection.

Apart from `open`, so that connecting can begin before Docker's client is loaded.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from restoops.adapters.connection import Connection, LocalConnection
from restoops.adapters.terraform import read_output
from restoops.config.hosts import Target
from restoops.config.load import Loaded
from restoops.config.schema import TerraformOutputs


def load_client(loaded: Loaded) -> None:
    """Load what connecting needs, so that this is not done while something else is loaded."""
    if loaded.connection == "ssh":
        import_module("restoops.adapters.ssh")


def connect(loaded: Loaded, target: Target) -> Connection:
    """Connect to a host of the environment.

    Raises:
        Unreachable: it does not answer, or it refused our login or its key ours.
    """
    if loaded.connection == "local":
        return LocalConnection()
    from restoops.adapters.ssh import SshConnection, SshOptions

    ssh = loaded.settings.ssh
    options = SshOptions(
        user=ssh.user,
        port=ssh.port,
        key=ssh.key,
        known_hosts=ssh.known_hosts,
        connect_timeout_s=ssh.connect_timeout_s,
        answer_timeout_s=ssh.answer_timeout_s,
    )
    return SshConnection(target.address, options)


def terraform_outputs(outputs: TerraformOutputs, root: Path) -> object:
    """Read the hosts of an environment from Terraform's state."""
    return read_output(root, outputs.output)
