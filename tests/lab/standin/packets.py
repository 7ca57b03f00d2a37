"""SSH's binary packets, encrypted both ways: https://www.rfc-editor.org/rfc/rfc4253#section-6."""

import os
import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK, TAG, SIZE = 16, 16, 4
NONCE = 12
_PLAIN_BLOCK = 8
_LEAST_PADDING = 4


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
    """One direction of a connection: plain at first, AES-GCM after `secure`.

    https://www.rfc-editor.org/rfc/rfc5647, with the size in the clear.
    """

    _cipher: AESGCM | None = None
    _fixed: bytes = b""
    _count: int = 0

    def secure(self, iv: bytes, key: bytes) -> None:
        """Encrypt (or decrypt) from now on."""
        self._cipher = AESGCM(key)
        self._fixed, self._count = iv[:4], int.from_bytes(iv[4:])

    @property
    def block(self) -> int:
        """What is encrypted is a multiple of this; what is not, with its size."""
        return BLOCK if self._cipher else _PLAIN_BLOCK

    @property
    def uncounted(self) -> int:
        """Bytes of the size, where they do not count for that."""
        return SIZE if self._cipher else 0

    @property
    def tag_size(self) -> int:
        """Bytes behind each packet."""
        return TAG if self._cipher else 0

    def close(self, size: bytes, packet: bytes) -> bytes:
        """Encrypt one packet and append its tag."""
        return self._cipher.encrypt(self._nonce(), packet, size) if self._cipher else packet

    def open(self, size: bytes, packet: bytes) -> bytes:
        """Decrypt one packet that ends with its tag."""
        return self._cipher.decrypt(self._nonce(), packet, size) if self._cipher else packet

    def _nonce(self) -> bytes:
        nonce = self._fixed + self._count.to_bytes(8)
        self._count = (self._count + 1) % 2**64
        return nonce


@dataclass(slots=True)
class Packets:
    """Makes packets of messages, and messages of the bytes that came."""

    incoming: Way = field(default_factory=Way)
    outgoing: Way = field(default_factory=Way)
    buffer: bytes = b""

    def wrap(self, message: bytes) -> bytes:
        """Return the packet of a message."""
        way = self.outgoing
        padding = way.block - (len(message) + SIZE + 1 - way.uncounted) % way.block
        padding += way.block if padding < _LEAST_PADDING else 0
        size = struct.pack(">I", 1 + len(message) + padding)
        return size + way.close(size, bytes([padding]) + message + os.urandom(padding))

    def unwrap(self) -> bytes | None:
        """Return the next message, or nothing while it is not all there."""
        size = self.buffer[:SIZE]
        end = SIZE + int.from_bytes(size) + self.incoming.tag_size
        if len(size) < SIZE or len(self.buffer) < end:
            return None
        try:
            packet = self.incoming.open(size, self.buffer[SIZE:end])
        except InvalidTag as error:
            raise Malformed("a packet was damaged") from error
        self.buffer = self.buffer[end:]
        return packet[1 : len(packet) - packet[0]]
