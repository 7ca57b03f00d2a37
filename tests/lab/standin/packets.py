"""SSH's binary packets, encrypted both ways: https://www.rfc-editor.org/rfc/rfc4253#section-6."""

import hmac
import os
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

BLOCK, MAC = 16, 32
_PLAIN_BLOCK = 8


class Malformed(Exception):
    """The client sent something that is no SSH, or that a stand-in does not know."""


class Fields:
    """Reads the fields of a message, one after the other."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 1

    def number(self) -> int:
        """Return the next field, a number."""
        (value,) = struct.unpack_from(">I", self._payload, self._at)
        self._at += 4
        return int(value)

    def flag(self) -> bool:
        """Return the next field, a boolean."""
        self._at += 1
        return self._payload[self._at - 1] != 0

    def string(self) -> bytes:
        """Return the next field, bytes."""
        start = self._at + 4
        self._at = start + self.number()
        return self._payload[start : self._at]

    def text(self) -> str:
        """Return the next field, as text."""
        return self.string().decode(errors="replace")


def string(value: bytes | str) -> bytes:
    """Return a field of bytes."""
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(raw)) + raw


def number(*values: int) -> bytes:
    """Return fields of numbers."""
    return struct.pack(f">{len(values)}I", *values)


def mpint(raw: bytes) -> bytes:
    """Return a field of a positive number of any size, given in big-endian bytes."""
    digits = raw.lstrip(b"\0")
    return string(b"\0" + digits if digits[:1] >= b"\x80" else digits)


@dataclass(slots=True)
class Way:
    """One direction of a connection: plain at first, encrypted after `secure`."""

    sequence: int = 0
    _cipher: CipherContext | None = None
    _mac_key: bytes = b""

    def secure(self, iv: bytes, key: bytes, mac_key: bytes) -> None:
        """Encrypt (or decrypt, for counter mode is the same both ways) from now on."""
        self._cipher = Cipher(AES(key), CTR(iv)).encryptor()
        self._mac_key = mac_key

    @property
    def block(self) -> int:
        """Packets are multiples of this."""
        return BLOCK if self._cipher else _PLAIN_BLOCK

    @property
    def mac_size(self) -> int:
        """Bytes behind each packet."""
        return MAC if self._cipher else 0

    def turn(self, raw: bytes) -> bytes:
        """Encrypt or decrypt."""
        return self._cipher.update(raw) if self._cipher else raw

    def mac(self, packet: bytes) -> bytes:
        """Return the next packet's code of authentication; call it once for each."""
        numbered = struct.pack(">I", self.sequence) + packet
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        return hmac.digest(self._mac_key, numbered, "sha256") if self._cipher else b""


@dataclass(slots=True)
class Packets:
    """Makes packets of messages, and messages of the bytes that came."""

    incoming: Way = field(default_factory=Way)
    outgoing: Way = field(default_factory=Way)
    buffer: bytes = b""
    _head: bytes = b""

    def wrap(self, message: bytes) -> bytes:
        """Return the packet of a message."""
        way = self.outgoing
        padding = way.block - (len(message) + 5) % way.block
        padding += way.block if padding < 4 else 0
        size = 1 + len(message) + padding
        packet = struct.pack(">IB", size, padding) + message + os.urandom(padding)
        return way.turn(packet) + way.mac(packet)

    def unwrap(self) -> bytes | None:
        """Return the next message, or nothing while it is not all there."""
        way, block = self.incoming, self.incoming.block
        if not self._head:
            if len(self.buffer) < block:
                return None
            self._head, self.buffer = way.turn(self.buffer[:block]), self.buffer[block:]
        rest = int.from_bytes(self._head[:4]) + 4 - block
        end = rest + way.mac_size
        if len(self.buffer) < end:
            return None
        packet = self._head + way.turn(self.buffer[:rest])
        if way.mac(packet) != self.buffer[rest:end]:
            raise Malformed("a packet was damaged")
        self._head, self.buffer = b"", self.buffer[end:]
        return packet[5 : len(packet) - packet[4]]
