"""The file that tells Terraform where the state of an environment is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FILE_NAME = "backend.hcl"
REGIONS = ("nyc3", "sfo3", "sgp1", "fra1", "ams3", "sfo2", "lon1", "tor1", "blr1", "syd1", "atl1")
"""Where Spaces is."""
LOCKFILE_SINCE = (1, 10)
"""The terraform that first knew `use_lockfile`; an older one refuses the whole file for it."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the state is; `has_lock` only where it was shown that locks can be trusted."""

    bucket: str
    key: str
    region: str
    endpoint: str
    has_path_style: bool
    has_lock: bool


def render(backend: Backend) -> str:
    """Return the text of backend.hcl; there is no secret in it."""
    lock = ["use_lockfile                = true"] if backend.has_lock else []
    path = ["use_path_style              = true"] if backend.has_path_style else []
    lines = [
        "# Written by `restoops infra backend`. No secrets: the key comes from the environment.",
        f"bucket                      = {_text(backend.bucket)}",
        f"key                         = {_text(backend.key)}",
        f"region                      = {_text(backend.region)}",
        f"endpoints                   = {{ s3 = {_text(backend.endpoint)} }}",
        # Spaces is not Amazon: none of these can be asked there.
        "skip_credentials_validation = true",
        "skip_requesting_account_id  = true",
        "skip_metadata_api_check     = true",
        "skip_region_validation      = true",
        "skip_s3_checksum            = true",
        *path,
        *lock,
    ]
    return "\n".join(lines) + "\n"


def had_lock(text: str, backend: Backend) -> bool:
    """Return whether an earlier file, for the same bucket, has locking on."""
    found = _settings(text)
    is_same = found.get("bucket") == _text(backend.bucket) and (
        _text(backend.endpoint) in found.get("endpoints", "")
    )
    return is_same and found.get("use_lockfile") == "true"


def leads_to(text: str, config: Mapping[str, Any]) -> bool:
    """Return whether a backend.hcl of ours leads to where Terraform's own `config` does."""
    found = _settings(text)
    endpoints = config.get("endpoints")
    endpoint = endpoints.get("s3") if isinstance(endpoints, dict) else None
    same = all(found.get(key) == _text(str(config.get(key))) for key in ("bucket", "key"))
    return same and bool(endpoint) and _text(str(endpoint)) in found.get("endpoints", "")


def _settings(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)\s*=\s*(.*\S)\s*$", text, re.MULTILINE))


def bucket_name(app: str, environment: str) -> str:
    """Return the usual name of the bucket: names are shared by all users of Spaces."""
    return f"{app}-{environment}-tfstate"[:63].strip("-")


def is_bucket_name(text: str) -> bool:
    """Return whether Spaces takes it as a name."""
    return bool(re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", text))


def _text(value: str) -> str:
    return json.dumps(value)
