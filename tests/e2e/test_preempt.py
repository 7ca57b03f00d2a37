"""A run that pre-empts another ends its session on the host, and all that runs over it."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from restoops.adapters.connection import Claim, Holder, hold_lock, script
from restoops.adapters.container import SOCKET
from restoops.adapters.docker import Engine
from restoops.adapters.ssh import SshConnection, SshOptions
from restoops.errors import Locked, Unreachable
from tests.e2e.conditions import done_and_undone, shell
from tests.lab.droplet import Droplet

pytestmark = pytest.mark.lab

DIRECTORY = "/home/deploy/preempted"
OLGA = Holder("olga", "laptop", "restoops deploy v2 staging", "2026-01-02T03:04:05.000Z")
PETER = Claim(Holder("peter", "CI", "restoops rollback", "2026-01-02T03:05:06.000Z"), preempt=True)
TRACE = "/home/deploy/trace"
RUNS_ON = f"while :; do date +%s%N >{TRACE}; done"
Connect = Callable[[], SshConnection]


@pytest.fixture
def connect(droplet: Droplet, lab_key: Path, tmp_path: Path) -> Iterator[Connect]:
    """Makes connections to the droplet, which are closed at the end."""
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(droplet.known_hosts_line + "\n")
    options = SshOptions(user="deploy", key=str(lab_key), known_hosts=str(known_hosts))
    with contextlib.ExitStack() as made:
        yield lambda: made.enter_context(
            contextlib.closing(SshConnection(droplet.address, options))
        )


@pytest.fixture(params=[True, False], ids=["sockets forwarded", "over dial-stdio"])
def _forwarding(droplet: Droplet, request: pytest.FixtureRequest) -> None:
    allowed = "yes" if request.param else "no"
    line = f"AllowStreamLocalForwarding {allowed}\n"
    droplet.write("/etc/ssh/sshd_config.d/forwarding.conf", line)
    shell(droplet, "systemctl restart ssh")


FORKS = """\
#!/bin/bash
# As fish does: what it is given with -c runs beside it, unless it is told to make way.
eval "$2
exit"
"""


@pytest.fixture(params=["/bin/bash", "/usr/local/bin/forks"], ids=["bash", "a shell that forks"])
def _login_shell(droplet: Droplet, request: pytest.FixtureRequest) -> Iterator[None]:
    droplet.write("/usr/local/bin/forks", FORKS)
    with done_and_undone(
        droplet,
        f"chmod 755 /usr/local/bin/forks; usermod --shell {request.param} deploy",
        "usermod --shell /bin/bash deploy",
    ):
        yield


@pytest.mark.usefixtures("_forwarding", "_login_shell")
def test_who_was_pre_empted_reaches_nothing_any_more(droplet: Droplet, connect: Connect) -> None:
    first, second = connect(), connect()
    hold_lock(first, DIRECTORY, Claim(OLGA), on_wait=print)
    engine = Engine(first.host, lambda: first.dial(SOCKET))
    assert engine.client.ping()
    shell(droplet, f"rm -f {TRACE}")
    first.talk(["bash", "-c", RUNS_ON])
    shell(droplet, f"until [ -e {TRACE} ]; do sleep .05; done")
    told: list[str] = []

    lock = hold_lock(second, DIRECTORY, PETER, on_wait=told.append)

    assert told == [str(OLGA)]
    shell(droplet, f"cp {TRACE} {TRACE}.before; sleep .2; cmp {TRACE} {TRACE}.before")
    with pytest.raises(Unreachable, match="the SSH connection was lost"):
        first.run(["touch", TRACE])
    with pytest.raises(Unreachable):
        first.dial(SOCKET)
    with pytest.raises(Unreachable):
        engine.containers("testapp")
    assert second.run(["echo", "still here"]) == "still here\n"
    lock.release()


def test_a_holder_that_is_another_user_is_left_alone(droplet: Droplet, connect: Connect) -> None:
    droplet.write("/root/lock.sh", script("lock")[2])
    held = f"bash /root/lock.sh {DIRECTORY} '{json.dumps(asdict(OLGA))}' 0 60 ''"
    unit = ["systemd-run", "--quiet", "--unit=root-holds"]
    connect().run(["mkdir", "-p", DIRECTORY])
    droplet.exec([*unit, "sh", "-c", f"sleep 60 | {held}"])
    with done_and_undone(
        droplet,
        f"until grep -q olga {DIRECTORY}/lock; do sleep .05; done",
        "systemctl stop root-holds",
    ):
        with pytest.raises(Locked, match="olga from laptop") as caught:
            hold_lock(connect(), DIRECTORY, PETER, on_wait=print)

        assert "another user" in caught.value.hint
        assert shell(droplet, "systemctl is-active root-holds").strip() == "active"
