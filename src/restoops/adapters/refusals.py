"""Why a host was not let in on, or did not let us in, in words of SSH and with what to do."""

from __future__ import annotations

from pathlib import Path

import paramiko

from restoops.errors import HostKeyRefused, Unreachable

_CANNOT_CONNECT = "Is the droplet on, is its address right, and may this machine connect to it?"


class RefuseUnknown(paramiko.MissingHostKeyPolicy):
    """Refuse unknown hosts, and say how to get to know them."""

    def __init__(self, login: str, file: str) -> None:
        self._login = login
        self._file = file

    def missing_host_key(
        self, _client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        """Refuse."""
        raise HostKeyRefused(
            f"{self._login}: unknown host key {key.get_name()} {key.fingerprint}",
            hint=_compare(hostname, key, self._file),
        )


def _compare(hostname: str, key: paramiko.PKey, file: str) -> str:
    kind = key.get_name().removeprefix("ssh-")
    return (
        "Compare it on the droplet's own console: `ssh-keygen -lf "
        f"/etc/ssh/ssh_host_{kind.split('-')[0]}_key.pub`. If it is the same, add this line to "
        f"{file}:\n{hostname} {key.get_name()} {key.get_base64()}"
    )


def key_changed(
    error: paramiko.BadHostKeyException, where: str, port: int, file: str
) -> HostKeyRefused:
    """Say that a host has another key than the one on record."""
    name = error.hostname if port == paramiko.config.SSH_PORT else f"[{error.hostname}]:{port}"
    return HostKeyRefused(
        f"{where} port {port}: the host key has changed: now {error.key.fingerprint}, on record "
        f"{error.expected_key.fingerprint}",
        hint="Either the droplet was made anew or somebody is in between. "
        f"If it was made anew: `ssh-keygen -f {file} -R '{name}'`, then: "
        + _compare(name, error.key, file),
    )


def silent(where: str, *, has_greeted: bool) -> Unreachable:
    """Say that a host accepted our connection and then said nothing, or nothing more."""
    if not has_greeted:
        return Unreachable(
            f"{where}: cannot connect: something accepts connections there, but says nothing",
            hint=_CANNOT_CONNECT,
        )
    return Unreachable(
        f"{where}: the host stopped answering during login",
        hint="Is the droplet out of memory, or overloaded? Its console in the control panel shows "
        "it. If it is fine: does something on the way, such as a firewall or a VPN, drop large "
        "packets?",
    )


def refusal(
    error: OSError | EOFError | paramiko.SSHException, where: str, key: str | None
) -> Unreachable:
    """Say what went wrong while connecting, in words of SSH."""
    no_key = str(error) == "No authentication methods available"
    if no_key or isinstance(error, paramiko.AuthenticationException):
        is_lost = key and not Path(key).expanduser().is_file()
        return Unreachable(
            f"{where}: login refused: {'there is no key to offer' if no_key else error}",
            hint=(f"`ssh.key`: {key} is not there. " if is_lost else "")
            + "Is the user right (`ssh.user`), and is your key loaded (`ssh-add -l`) and in "
            "the user's authorized_keys?",
        )
    if str(error) == "No existing session":
        # What paramiko says when the other side hung up, or said nothing, before the end of it.
        return Unreachable(
            f"{where}: login refused: the host hung up, as it does after too many keys",
            hint="Name the right one: `ssh.key` in restoops.yaml, or `IdentityFile` with "
            "`IdentitiesOnly yes` in ~/.ssh/config. Is the droplet on, and is it SSH that "
            "answers there?",
        )
    if isinstance(error, paramiko.ChannelException):
        return Unreachable(
            f"{where}: cannot connect through the jump host: {error.text}",
            hint="The jump host has to reach it, and its sshd needs `AllowTcpForwarding yes`.",
        )
    reason = getattr(error, "strerror", None) or str(error) or "no answer in time"
    if "protocol banner" in reason:
        reason = "something accepts connections there, but does not speak SSH"
    return Unreachable(
        f"{where}: cannot connect: {reason}",
        hint=_CANNOT_CONNECT,
    )
