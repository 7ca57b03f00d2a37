"""SSH host keys that a droplet has from its birth."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from restoops.adapters.private import write_private
from restoops.errors import UsageError

FILE_NAME = "host_keys.auto.tfvars.json"


@dataclass(frozen=True, slots=True)
class HostKey:
    """The public half of a droplet's host key."""

    droplet: str
    public: str
    fingerprint: str
    is_new: bool


class HostKeys:
    """The key pairs of an environment's droplets, in the file that Terraform reads them from."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._document = self._read()

    def ensure(self, droplets: tuple[str, ...]) -> tuple[HostKey, ...]:
        """Make the pairs that are missing, in memory; those that are there stay as they are."""
        found = []
        for droplet in droplets:
            is_new = droplet not in self._keys
            if is_new:
                self._keys[droplet] = _new_pair()
            public = self._keys[droplet]["public"]
            found.append(HostKey(droplet, public, fingerprint(public), is_new))
        return tuple(found)

    def write(self) -> None:
        """Write all pairs, readable by their owner only.

        Raises:
            Refused: the file cannot be written.
        """
        write_private(self.path, json.dumps(self._document, indent=2, sort_keys=True) + "\n")

    @property
    def _keys(self) -> dict[str, dict[str, str]]:
        return self._document["host_keys"]

    def _read(self) -> dict[str, dict[str, dict[str, str]]]:
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return {"host_keys": {}}
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{self.path} cannot be read: {error}") from error
        if not _is_well_formed(text):
            # Its text may be half a private key: none of it is shown.
            raise UsageError(
                f"{self.path} does not hold host keys as restoops writes them",
                hint="Restore it from a backup. Without it new keys are made, and droplets that "
                "exist are replaced to have them.",
            )
        document: dict[str, dict[str, dict[str, str]]] = json.loads(text)
        return document


def _is_well_formed(text: str) -> bool:
    try:
        keys = json.loads(text)["host_keys"]
        return all(
            isinstance(pair["private"], str) and fingerprint(pair["public"])
            for pair in keys.values()
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return False


def fingerprint(public: str) -> str:
    """Return the fingerprint of a public key as ssh shows it."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1], validate=True)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _new_pair() -> dict[str, str]:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    return {"private": private.decode(), "public": public.decode()}
