"""SSH: one connection per host, strict about host keys.

`~/.ssh/config`, the agent, ProxyJump and ProxyCommand are honoured. Sockets on the host are
reached through SSH itself (1 ms). Where that is forbidden, as it often is on hardened hosts,
they are reached over `docker system dial-stdio` (30 to 60 ms), which connects standard input
and output to whatever `-H` names and needs no program beyond Docker's own.
"""

from __future__ import annotations

import logging
import shlex
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restoops.adapters.connection import Stream, Talk
from restoops.adapters.process import failure
from restoops.errors import HostKeyRefused, Unreachable, UsageError

if not any(name == "invoke" or name.startswith("invoke.") for name in tuple(sys.modules)):
    # paramiko imports `invoke` (110 ms, a third of our start-up) for nothing but `Match exec` in
    # ~/.ssh/config, and does without it when it is missing.
    sys.modules["invoke"] = None  # type: ignore[assignment]
    import paramiko

    del sys.modules["invoke"]
else:
    import paramiko

from restoops.adapters.channels import StartedChannel, TalkChannel
from restoops.adapters.refusals import RefuseUnknown, key_changed, refusal, silent
from restoops.adapters.streamlocal import open_streamlocal
from restoops.adapters.tcp import TcpStream
from restoops.adapters.transport import Client, HostSilent, Transport, has_greeted, has_no_answer

_DEFAULT_USER = "deploy"
_MOST_JUMPS = 8
_SSH_PORT = 22
# What it has to say reaches the operator as our errors.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class SshOptions:
    """What the settings say about SSH; None leaves it to `~/.ssh/config`."""

    user: str | None = None
    port: int | None = None
    key: str | None = None
    known_hosts: str | None = None
    connect_timeout_s: float = 10
    answer_timeout_s: float = 60


class SshConnection:
    """A connection to one host, opened at once and never reopened.

    Raises:
        HostKeyRefused: the host key is unknown or differs from the one on record.
        Unreachable: no answer in time, or our login was refused.
    """

    def __init__(self, host: str, options: SshOptions) -> None:
        self.host = host
        self.channels = 0
        """Channels opened so far; the benchmark prints it."""
        self.answer_timeout_s = options.answer_timeout_s
        self._options = options
        self._may_forward: bool | None = None
        self._hops: list[paramiko.SSHClient] = []
        self._jumps: list[str] = []
        config = _user_config()
        try:
            self._client = self._connect(host, options, config)
        except BaseException:
            self.close()
            raise

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60) -> str:
        """Run a program to its end and return its standard output.

        Raises:
            CommandFailed: it ended with a status other than 0.
            Unreachable: the connection was lost or nothing came for `timeout_s` seconds.
        """
        try:
            channel = self._open(argv)
            channel.settimeout(timeout_s)
            if stdin:
                channel.sendall(stdin)
            channel.shutdown_write()
            output = channel.makefile("rb").read()
            errors = channel.makefile_stderr("rb").read()
            status = channel.recv_exit_status()
            channel.close()
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error
        if status == -1:
            raise self._lost(EOFError("no exit status"))
        if status:
            raise failure([f"{self.host}: {argv[0]}"], status, errors or output)
        return output.decode(errors="surrogateescape")

    def talk(self, argv: Sequence[str]) -> Talk:
        """Start a program and talk to it."""
        try:
            return TalkChannel(self._open(argv), self._lost)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error

    def start(self, argv: Sequence[str], *, within_s: float | None = None) -> Stream:
        """Start a program whose input and output are one stream; see `Connection.start`."""
        try:
            return StartedChannel(self._open(argv, within_s), self._lost)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error

    def dial(self, socket_path: str) -> Stream:
        """Connect to a Unix socket on the host.

        Raises:
            Unreachable: nothing listens there, or the connection was lost.
        """
        try:
            if self._may_forward is not False:
                stream = self._try_forward(socket_path)
                if stream is not None:
                    return stream
            return self._open(["docker", "-H", f"unix://{socket_path}", "system", "dial-stdio"])
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """End the connection and all that runs over it."""
        for client in reversed(self._hops):
            client.close()
        self._hops.clear()

    def close_if_silent(self, within_s: float) -> None:
        """End the connection, and with it every call that waits, if sshd gives no sign of life."""
        transport = self._client.get_transport()
        if transport is None:
            return
        asking = threading.Thread(
            # Any answer will do: sshd refuses a request that it does not know.
            target=lambda: transport.global_request("keepalive@openssh.com"),
            name="sign of life",
            daemon=True,
        )
        asking.start()
        asking.join(within_s)
        if asking.is_alive():
            self.close()

    def _try_forward(self, socket_path: str) -> paramiko.Channel | None:
        timeout_s = self._options.connect_timeout_s
        try:
            channel = open_streamlocal(self._transport(), socket_path, timeout_s)
        except paramiko.ChannelException as error:
            if self._may_forward:
                raise Unreachable(
                    f"{self.host}: nothing listens on {socket_path}",
                    hint="The next deploy or rollback starts what is missing; `restoops doctor` "
                    "says more.",
                ) from error
            # sshd gives one answer (code 2) for a socket that is not there, for one that we may
            # not use, and for forwarding that is forbidden: dial-stdio is right for all three.
            self._may_forward = False
            return None
        self._may_forward = True
        channel.settimeout(self._options.answer_timeout_s)
        self.channels += 1
        return channel

    def _transport(self) -> paramiko.Transport:
        transport = self._client.get_transport()
        if transport is None:
            raise EOFError("the connection was closed")
        return transport

    def _open(self, argv: Sequence[str], within_s: float | None = None) -> paramiko.Channel:
        timeout_s = within_s or self._options.connect_timeout_s
        channel = self._transport().open_session(timeout=timeout_s)
        channel.settimeout(self._options.answer_timeout_s)
        # A login shell that would run it beside itself (fish) makes way: the lease of a lock and
        # pre-emption end the parent of what runs here, and that has to be sshd.
        channel.exec_command(f"exec {shlex.join(argv)}")
        self.channels += 1
        return channel

    def _lost(self, error: Exception) -> Unreachable:
        if isinstance(error, paramiko.ChannelException):
            return Unreachable(
                f"{self.host}: sshd refuses another session over our connection",
                hint="`MaxSessions` in its sshd_config has to be 7 or more (10 without a line); "
                "with `probe.rate: 0` in restoops.yaml 6 will do.",
            )
        reason = str(error) or type(error).__name__
        if isinstance(error, TimeoutError) or reason.startswith("Timeout"):
            # Whatever is still tried over it would wait as long again.
            self.close()
            reason = "the host does not answer any more"
        return Unreachable(
            f"{self.host}: the SSH connection was lost: {reason}",
            hint="What had begun there is put right by the next deploy or rollback.",
        )

    def _connect(
        self, host: str, options: SshOptions, config: paramiko.SSHConfig, via: str = ""
    ) -> paramiko.SSHClient:
        known = _lookup(config, host)
        if via:
            known["proxyjump"] = via
        address = known.get("hostname", host)
        port = options.port or _port(known.get("port", "22"))
        user = options.user or known.get("user", _DEFAULT_USER)
        files = _known_hosts(options, known)
        name = known.get("hostkeyalias", address)
        client = Client(name if port == _SSH_PORT else f"[{name}]:{port}", files)
        client.set_missing_host_key_policy(RefuseUnknown(f"{user}@{host}", files[0]))
        where = f"{host}: {user}@{address} port {port}"
        try:
            client.connect(
                name,
                port=port,
                username=user,
                key_filename=_key_files(options, known),  # type: ignore[arg-type]  # takes a list too
                sock=self._way_to(address, port, known, options, config),
                timeout=options.connect_timeout_s,
                banner_timeout=options.connect_timeout_s,
                auth_timeout=options.connect_timeout_s,
                allow_agent=known.get("identitiesonly", "no") != "yes",
                look_for_keys=not options.key,
                transport_factory=Transport,
            )
        except HostKeyRefused:
            client.close()
            raise
        except HostSilent as error:
            client.close()
            raise silent(where, has_greeted=True) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            is_silent, greeted = has_no_answer(client, error), has_greeted(client)
            client.close()
            if is_silent:
                raise silent(where, has_greeted=greeted) from error
            if isinstance(error, paramiko.BadHostKeyException):
                raise key_changed(error, f"{host}: {user}@{address}", port, files[0]) from error
            raise refusal(error, where, options.key) from error
        self._hops.append(client)
        transport = client.get_transport()
        assert transport  # noqa: S101  connect() has made it
        transport.set_keepalive(5)
        return client

    def _way_to(
        self,
        address: str,
        port: int,
        known: paramiko.SSHConfigDict,
        options: SshOptions,
        config: paramiko.SSHConfig,
    ) -> socket.socket | paramiko.Channel | paramiko.ProxyCommand:
        """Open the stream that SSH is spoken over, through jump hosts if there are any."""
        jump = known.get("proxyjump", "none")
        if jump != "none":
            return self._jump(jump, address, port, options, config)
        if "proxycommand" in known:
            return paramiko.ProxyCommand(known["proxycommand"])
        return TcpStream.connected(
            address,
            port,
            timeout_s=options.connect_timeout_s,
            silence_s=options.answer_timeout_s,
        )

    def _jump(
        self, jump: str, address: str, port: int, options: SshOptions, config: paramiko.SSHConfig
    ) -> paramiko.Channel:
        via, _, last = jump.replace(" ", "").rpartition(",")
        user, _, rest = last.removeprefix("ssh://").rpartition("@")
        name, jump_port = _split_port(rest)
        if name == self.host or len(self._jumps) > _MOST_JUMPS:
            raise UsageError(
                f"{self.host}: `ProxyJump` in ~/.ssh/config leads in a circle: {name}",
                hint=f"`ProxyJump none` under a `Host {name}` line above it ends the circle.",
            )
        self._jumps.append(name)
        hop_options = SshOptions(
            user=user or None,
            port=_port(jump_port) if jump_port else None,
            key=options.key,
            known_hosts=options.known_hosts,
            connect_timeout_s=options.connect_timeout_s,
            answer_timeout_s=options.answer_timeout_s,
        )
        transport = self._connect(name, hop_options, config, via).get_transport()
        assert transport  # noqa: S101  _connect has made it
        return transport.open_channel(
            "direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=options.connect_timeout_s
        )


def _user_config() -> paramiko.SSHConfig:
    path = Path("~/.ssh/config").expanduser()
    if not path.is_file():
        return paramiko.SSHConfig()
    try:
        return paramiko.SSHConfig.from_path(str(path))
    except (paramiko.ConfigParseError, OSError, ValueError) as error:
        raise UsageError(
            f"~/.ssh/config cannot be read: {error}", hint="`ssh -G <host>` says what is wrong."
        ) from error


def _lookup(config: paramiko.SSHConfig, host: str) -> paramiko.SSHConfigDict:
    try:
        return config.lookup(host)
    except ImportError as error:
        raise UsageError(
            "~/.ssh/config has `Match exec`, which restoops does not run",
            hint=f"Write what it sets for {host} under a `Host {host}` line above it.",
        ) from error


def _split_port(text: str) -> tuple[str, str]:
    """Return host and port of `host`, `host:port`, `[address]:port` or a bare IPv6 address."""
    if text.startswith("["):
        name, _, port = text[1:].partition("]")
        return name, port.removeprefix(":")
    name, _, port = text.partition(":")
    return (text, "") if ":" in port else (name, port)


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise UsageError(
        f"~/.ssh/config names a port that is none: {text[:40]!r}",
        hint="A port is a number from 1 to 65535; see `Port` and `ProxyJump` there.",
    )


def _known_hosts(options: SshOptions, known: paramiko.SSHConfigDict) -> list[str]:
    """Return the files of host keys, the one to add to first."""
    named = known.get("userknownhostsfile", "~/.ssh/known_hosts").split()
    own = [options.known_hosts] if options.known_hosts else named
    return [*own, "/etc/ssh/ssh_known_hosts"]


def _key_files(options: SshOptions, known: paramiko.SSHConfigDict) -> list[str]:
    names = [options.key] if options.key else known.get("identityfile", [])
    paths = [Path(name).expanduser() for name in names]
    return [str(path) for path in paths if path.is_file()]
