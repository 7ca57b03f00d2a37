"""paramiko without what takes long for each of 200 hosts, or for each of their packets.

Every call to the system lets another thread run first: with so many threads, that takes longer than
what is called.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import paramiko

from restoops.adapters.known_hosts import KeysOfHost, keys_of

_reading = threading.Lock()
_keys: dict[Hashable, paramiko.PKey | paramiko.SSHException] = {}


class Client(paramiko.SSHClient):
    """Reads keys once for all hosts: theirs, and ours in each of three formats."""

    def __init__(self, host: str, known_hosts: Sequence[str]) -> None:
        """Know the keys of `host` as the files name it."""
        super().__init__()
        keys = keys_of(host, known_hosts)
        self._host_keys = {host: keys} if keys else {}
        self._system_host_keys: dict[str, KeysOfHost] = {}

    def _key_from_filepath(
        self, filename: str, klass: type[paramiko.PKey], password: str | None
    ) -> paramiko.PKey:
        wanted = filename, Path(filename).stat().st_mtime_ns, klass, password
        with _reading:  # the first thread reads for all
            if wanted not in _keys:
                try:
                    key = super()._key_from_filepath(filename, klass, password)  # type: ignore[misc]
                except paramiko.SSHException as error:  # in another format, or with a password
                    key = type(error)(*error.args)
                _keys[wanted] = key
            found = _keys[wanted]
        if isinstance(found, paramiko.SSHException):
            raise type(found)(*found.args)
        return found


class HostSilent(Exception):
    """The host stopped answering while we logged in."""


def has_no_answer(client: paramiko.SSHClient, error: Exception) -> bool:
    """Say whether connecting failed because nothing more came, though nobody hung up."""
    transport = client.get_transport()
    # What paramiko says of a session that is not negotiated in time, and of one that was hung up.
    return bool(transport and transport.is_active() and str(error) == "No existing session")


def has_greeted(client: paramiko.SSHClient) -> bool:
    """Say whether the host has told which SSH it speaks."""
    transport = client.get_transport()
    return bool(transport and transport.remote_version)


class Transport(paramiko.Transport):
    """Prefers AES-GCM, as OpenSSH does before CTR with an HMAC.

    paramiko checks an HMAC byte by byte in Python: a tenth of what a fleet's deploy takes.
    """

    _preferred_ciphers = tuple(
        sorted(
            paramiko.Transport._preferred_ciphers,  # type: ignore[attr-defined]  # types lack it
            key=lambda name: "-gcm@" not in name,
        )
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # paramiko's limit for the handshake, on top of the one that `connect` is told, is a thread
        # for each host, and is called off again with every packet that comes.
        self.packetizer.start_handshake = lambda timeout: None  # type: ignore[method-assign]  # noqa: ARG005

    def auth_publickey(
        self, username: str, key: paramiko.PKey, event: threading.Event | None = None
    ) -> list[str]:
        """Offer a key, and give up a host that is silent: each further one would take as long."""
        try:
            return super().auth_publickey(username, key, event)
        except paramiko.AuthenticationException as error:
            if self.is_active() and "timeout" in str(error):
                raise HostSilent from error
            raise

    def _activate_outbound(self) -> None:
        """Pad packets with zeros in GCM, as paramiko does in CTR, of which it is made.

        Else the system is asked for random bytes before each packet.
        """
        super()._activate_outbound()  # type: ignore[misc]  # types lack it
        if "-gcm@" in self.local_cipher:
            self.packetizer._Packetizer__sdctr_out = True  # type: ignore[attr-defined]
