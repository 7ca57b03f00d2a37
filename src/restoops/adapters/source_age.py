"""Secrets from a file that age has encrypted: it may be in the repository."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restoops.adapters.env_text import changed, parse_env
from restoops.adapters.private import refuse_if_others_read, write_private
from restoops.errors import UsageError
from restoops.model import Secret

if TYPE_CHECKING:
    from pyrage import ssh, x25519


@dataclass(frozen=True, slots=True)
class AgeSource:
    """An encrypted `.env` file; all that is in it is meant for the application."""

    path: Path
    identity: Path
    """File with the private key, readable by its owner only."""
    recipients: Sequence[str]
    """Public keys of all who are to read it; only these when a new value is stored."""
    is_exclusive: bool = True

    @property
    def shown(self) -> str:
        """How to name it."""
        return str(self.path)

    def read(self) -> Mapping[str, Secret]:
        """Return its values by name; they are never written to a disk in the clear.

        Raises:
            UsageError: it cannot be read or decrypted, or others can read the private key.
        """
        return {it.name: it.value for it in parse_env(self._text(), self.shown)}

    def write(self, values: Mapping[str, Secret]) -> None:
        """Store these values, for the recipients; the rest of the text stays as it is.

        Raises:
            UsageError: it cannot be read, or there is no recipient.
            Refused: it cannot be written.
        """
        import pyrage

        if not self.recipients:
            raise UsageError(
                f"nobody is named to encrypt {self.path} for",
                hint="List public keys (`age1…`) in `secrets.age_recipients` of restoops.yaml.",
            )
        text = changed(self._text(), values, self.shown)
        keys = [_recipient(it) for it in self.recipients]
        write_private(self.path, pyrage.encrypt(text.encode(), keys, armored=True))

    def _text(self) -> str:
        """Return the file in the clear."""
        import pyrage

        keys = list(self._identities())
        data = _content(self.path, "`secrets.age_file` in restoops.yaml says where it is.")
        try:
            return bytes(pyrage.decrypt(data, keys)).decode("utf-8-sig")
        except pyrage.DecryptError as error:
            raise UsageError(
                f"{self.path} cannot be decrypted with the key in {self.identity}",
                hint="Was it encrypted for that key's public one? Who can read it can encrypt it "
                "anew for more.",
            ) from error
        except UnicodeDecodeError:
            raise UsageError(
                f"{self.path} holds no UTF-8 text",
                hint="What is encrypted has to be a `.env` file: NAME=value, a line each.",
            ) from None

    def _identities(self) -> Iterator[x25519.Identity]:
        """Yield the private keys; no word of them is in an error."""
        from pyrage import IdentityError, x25519

        text = _content(self.identity, "`age-keygen -o FILE` makes one; name it in `secrets`.")
        refuse_if_others_read(self.identity)
        lines = [it.strip() for it in text.decode(errors="replace").splitlines()]
        for number, line in enumerate(lines, 1):
            if line and not line.startswith("#"):
                try:
                    yield x25519.Identity.from_str(line)
                except IdentityError:
                    raise UsageError(
                        f"line {number} of {self.identity} is no private key of age",
                        hint="`age-keygen -o FILE` makes one: a line that begins with "
                        "`AGE-SECRET-KEY-1`.",
                    ) from None


def _recipient(text: str) -> x25519.Recipient | ssh.Recipient:
    from pyrage import RecipientError, ssh, x25519

    with contextlib.suppress(RecipientError):
        if text.startswith("ssh-"):
            return ssh.Recipient.from_str(text)
        return x25519.Recipient.from_str(text)
    raise UsageError(
        f"{text[:80]} is no public key of age",
        hint="Those in `secrets.age_recipients` begin with `age1`, or are SSH keys.",
    )


def _content(path: Path, hint: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
