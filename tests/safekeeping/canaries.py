"""Values that look like secrets and are none, put together so that none stands in a file."""

import hashlib

from tests.safekeeping.stage import Project


def digits(seed: str, length: int) -> str:
    """Return `length` hexadecimal digits that are the same each time."""
    return hashlib.sha512(seed.encode()).hexdigest()[:length]


def letters(seed: str, length: int) -> str:
    """Return `length` letters and digits that are the same each time."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    raw = hashlib.sha512(seed.encode()).digest()
    return "".join(alphabet[it % len(alphabet)] for it in raw)[:length]


GITHUB_TOKEN = "ghp_" + letters("github", 36)
PASSWORD = letters("password", 20)

OF_OUR_RULES = {
    "env-file": ("apps/api/.env.production", "LOG_LEVEL=debug\n"),
    "terraform-state": ("terraform/terraform.tfstate.backup", "{}\n"),
    "spaces-secret-key": (
        "deploy.sh",
        f"export SPACES_SECRET_ACCESS_KEY={letters('spaces', 43)}\n",
    ),
    "connection-url-password": (
        "app.py",
        f'URL = "postgresql://app:{PASSWORD}@db.internal:5432/app"\n',
    ),
    "registry-auth": (
        "config.json",
        '{"auths": {"ghcr.io": {"auth": "' + letters("auth", 28) + '"}}}\n',
    ),
}
"""Rule of .gitleaks.toml => a file that only it finds, and the text of the file."""


def leak(project: Project, name: str = "app.py", token: str = GITHUB_TOKEN) -> None:
    """Write a file with a token in its second line."""
    project.write(name, f'"""A module."""\nTOKEN = "{token}"\n')
