"""The start of an SSH connection: versions, keys, and a login that everybody passes.

The algorithms are those that paramiko and the sshd of a droplet agree on, so that the client has
the same work with both. asyncssh would do as well, but takes 5 ms of processor time for a login
and this 2.5: with two hundred logins at once on two processors, that would be measured too. It is
for loopback only.
"""

import asyncio
import hashlib
import os
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.lab.standin.packets import BLOCK, NONCE, Fields, Malformed, Packets, mpint, string

VERSION = b"SSH-2.0-OpenSSH_9.2p1 stand-in"
_HOST_KEY = "ssh-ed25519"
_ALGORITHMS = (
    *("curve25519-sha256@libssh.org", _HOST_KEY),
    *("aes128-gcm@openssh.com", "aes128-gcm@openssh.com", "hmac-sha2-256", "hmac-sha2-256"),
    *("none", "none", "", ""),
)
_DISCONNECT, _IGNORE, _UNIMPLEMENTED, _DEBUG = 1, 2, 3, 4
_SERVICE, _ACCEPTED, _KEXINIT, _NEWKEYS, _KEX, _KEX_REPLY = 5, 6, 20, 21, 30, 31
_LOGIN, _LOGIN_FAILED, _LOGGED_IN, _KEY_IS_FINE = 50, 51, 52, 60
_FIRST_OF_CONNECTION = 80


def public(key: Ed25519PrivateKey) -> bytes:
    """Return the public half of a host key, as it is sent."""
    return string(_HOST_KEY) + string(key.public_key().public_bytes_raw())


class Handshake(asyncio.Protocol):
    """A connection up to the login; what comes after that goes to `received`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._packets = Packets()
        self._client_version = b""
        self._client_init = b""
        self._init = bytes([_KEXINIT]) + os.urandom(16)
        self._init += b"".join(map(string, _ALGORITHMS)) + bytes(5)
        self._keys: list[bytes] = []
        self._unsent = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(VERSION + b"\r\n")
        self.send(self._init)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        self._packets.buffer += data
        try:
            if not self._client_version:
                line, end, rest = self._packets.buffer.partition(b"\n")
                if not end:
                    return
                self._client_version, self._packets.buffer = line.rstrip(b"\r"), rest
            while not self.transport.is_closing() and (message := self._packets.unwrap()):
                self._take(message)
        except Malformed:
            self.transport.abort()
            raise

    def send(self, message: bytes) -> None:
        """Send a message, together with others that are sent in the same breath, as sshd does."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent += self._packets.wrap(message)

    def received(self, kind: int, fields: Fields) -> None:
        """Take a message of a client that is logged in."""
        raise NotImplementedError

    def _flush(self) -> None:
        self.transport.write(self._unsent)
        self._unsent = b""

    def _take(self, message: bytes) -> None:
        kind, fields = message[0], Fields(message)
        if kind >= _FIRST_OF_CONNECTION:
            self.received(kind, fields)
        elif kind == _KEXINIT:
            self._client_init = message
        elif kind == _KEX:
            self._exchange(fields.string())
        elif kind == _NEWKEYS:
            iv, _, key, _ = self._keys
            self._packets.incoming.secure(iv, key)
        elif kind == _SERVICE:
            self.send(bytes([_ACCEPTED]) + string(fields.string()))
        elif kind == _LOGIN:
            self._log_in(fields)
        elif kind == _DISCONNECT:
            self.transport.close()
        elif kind not in (_IGNORE, _UNIMPLEMENTED, _DEBUG):
            raise Malformed(f"message {kind} is not known")

    def _exchange(self, theirs: bytes) -> None:
        """Agree on keys: https://www.rfc-editor.org/rfc/rfc8731."""
        own = X25519PrivateKey.generate()
        mine = own.public_key().public_bytes_raw()
        secret = mpint(own.exchange(X25519PublicKey.from_public_bytes(theirs)))
        parts = (self._client_version, VERSION, self._client_init, self._init)
        told = b"".join(map(string, (*parts, public(self._key), theirs, mine)))
        digest = hashlib.sha256(told + secret).digest()
        signature = string(_HOST_KEY) + string(self._key.sign(digest))
        reply = b"".join(map(string, (public(self._key), mine, signature)))
        self.send(bytes([_KEX_REPLY]) + reply)
        self.send(bytes([_NEWKEYS]))
        self._keys = [
            hashlib.sha256(secret + digest + letter + digest).digest()[:size]
            for letter, size in zip(
                (b"A", b"B", b"C", b"D"), (NONCE, NONCE, BLOCK, BLOCK), strict=True
            )
        ]
        _, iv, _, key = self._keys
        self._packets.outgoing.secure(iv, key)

    def _log_in(self, fields: Fields) -> None:
        _user, _service, method = fields.string(), fields.string(), fields.text()
        if method != "publickey":
            self.send(bytes([_LOGIN_FAILED]) + string("publickey") + b"\0")
        elif fields.flag():
            self.send(bytes([_LOGGED_IN]))
        else:
            self.send(bytes([_KEY_IS_FINE]) + string(fields.string()) + string(fields.string()))
