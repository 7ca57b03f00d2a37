"""From an environment to a connection.

Apart from `open`, so that connecting can begin before Docker's client is loaded.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from restoops.adapters.connection import Connection, LocalConnection
from restoops.adapters.terraform import read_output
from restoops.config.hosts import Target
from restoops.config.load import Loaded
from restoops.config.schema import TerraformOutputs
from restoops.errors import RestoopsError
from restoops.flows.background import in_background, side_by_side
from restoops.flows.host import Host
from restoops.flows.interrupt import Interrupt
from restoops.report.events import Stopping, Tell

_SILENCE_S = 3.0
"""A host that is only busy shows a sign of life within this; CI kills 10 s after its signal."""


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
        user=target.user or ssh.user,
        port=target.port or ssh.port,
        key=target.key or ssh.key,
        known_hosts=ssh.known_hosts,
        connect_timeout_s=ssh.connect_timeout_s,
        answer_timeout_s=ssh.answer_timeout_s,
    )
    return SshConnection(target.address, options)


def connect_all(
    loaded: Loaded, targets: Sequence[Target], interrupt: Interrupt, *, at_once: int
) -> tuple[dict[Target, Connection], dict[Target, RestoopsError]]:
    """Connect to hosts side by side; return the connections, and why there are no others.

    Raises:
        Interrupted: somebody asked for an end; the process is about to go.
    """
    found = side_by_side(
        lambda target: connect(loaded, target),
        targets,
        at_once=at_once,
        interrupt=interrupt,
    )
    interrupt.check()
    return found


def give_up_silent_when_asked(hosts: Sequence[Host], interrupt: Interrupt, tell: Tell) -> None:
    """Once somebody asks for an end: say so, and leave no call waiting for a host that hangs.

    Runs beside the flow, whose call to such a host then ends as if the connection had been lost.
    """

    def watch() -> None:
        interrupt.wait()
        tell(Stopping(_SILENCE_S))
        for host in hosts:
            in_background(partial(host.close_if_silent, _SILENCE_S))

    threading.Thread(target=watch, name="stopping", daemon=True).start()


def terraform_outputs(outputs: TerraformOutputs, root: Path) -> object:
    """Read the hosts of an environment from Terraform's state."""
    return read_output(root, outputs.output)
