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
from paramiko.common import AUTH_FAILED

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
        with pytest.raises(Unreachable, match="stopped answering during login"):
            SshConnection(
                "127.0.0.1", SshOptions("deploy", server.getsockname()[1], connect_timeout_s=0.5)
            )
        greeting.join()

    # Without a limit of ours: paramiko's own for this is 15 s.
    assert time.monotonic() - began < 12


class Undecided(paramiko.ServerInterface):
    """Is asked for a login, and never says whether it is granted."""

    def __init__(self) -> None:
        self.asked = 0
        self.over = threading.Event()

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.asked += 1
        self.over.wait()
        return AUTH_FAILED


def test_a_host_that_is_silent_during_login_is_offered_no_further_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir()
    shutil.copy(cache.private_key(), tmp_path / ".ssh" / "id_ed25519")
    paramiko.RSAKey.generate(2048).write_private_key_file(str(tmp_path / ".ssh" / "id_rsa"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    key, undecided = paramiko.ECDSAKey.generate(), Undecided()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        line = f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n"
        (tmp_path / ".ssh" / "known_hosts").write_text(line)

        def serve() -> None:
            transport = paramiko.Transport(server.accept()[0])
            transport.add_server_key(key)
            transport.start_server(server=undecided)

        serving = threading.Thread(target=serve)
        serving.start()
        with pytest.raises(Unreachable, match="stopped answering during login") as told:
            SshConnection("127.0.0.1", SshOptions("deploy", port, connect_timeout_s=1))
        undecided.over.set()
        serving.join()

    assert undecided.asked == 1
    assert "console" in told.value.hint
