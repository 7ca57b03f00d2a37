"""SSH with hosts that share what is read on this machine."""

import contextlib
import os
import shutil
import socket
import threading
import time
from pathlib import Path

import paramiko
import pytest

from restoops.adapters.ssh import SshConnection, SshOptions
from restoops.errors import Unreachable
from tests.lab import cache
from tests.lab.standin.fleet import Fleet

pytestmark = pytest.mark.lab


def test_a_key_is_read_once_for_all_hosts_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Path(shutil.copy(cache.private_key(), tmp_path / "key"))
    reads: list[str] = []
    read = paramiko.Ed25519Key.from_private_key_file

    def counted(path: str, password: str | None = None) -> paramiko.Ed25519Key:
        reads.append(path)
        return read(path, password)

    monkeypatch.setattr(paramiko.Ed25519Key, "from_private_key_file", counted)
    with Fleet(2) as fleet:
        lines = (f"[{host}]:{fleet.port} {public}" for host, public in fleet.keys.items())
        known_hosts = tmp_path / "known_hosts"
        known_hosts.write_text("\n".join(lines))
        options = SshOptions("deploy", fleet.port, str(key), str(known_hosts))
        first, second = fleet.keys

        for host in (first, second):
            with contextlib.closing(SshConnection(host, options)):
                pass
        assert reads == [str(key)]

        os.utime(key, (1, 1))
        with contextlib.closing(SshConnection(first, options)):
            pass
        assert reads == [str(key)] * 2


def test_a_server_that_greets_and_then_stays_silent_is_given_up_in_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            ours, _ = server.accept()
            with ours:
                ours.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
                while ours.recv(4096):
                    pass

        greeting = threading.Thread(target=greet)
        greeting.start()
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
            SshConnection(
                "127.0.0.1", SshOptions("deploy", server.getsockname()[1], connect_timeout_s=0.5)
            )
        greeting.join()

    # Without a limit of ours: paramiko's own for this is 15 s.
    assert time.monotonic() - began < 12
