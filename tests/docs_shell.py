"""Lines for a shell that the documentation shows, but for those of restoops, and how they are run.

A test asks for `lines("name")` and runs each with `typed`, as it stands. What no test can run is in
`NOT_RUN`, with the reason. `tests/test_docs_programs.py` sees to it that nothing is left.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.docs_text import PAGES

PROGRAMS = Path(sys.executable).parent
PATIENCE_S = 900
_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(
    r"`((?:age|age-keygen|ansible[\w-]*|apt|cat|curl|df|docker|fail2ban-client|flock|gh|git|haproxy|"
    r"kill|make|openssl|pip|pipx|pre-commit|python|set|ss|ssh|ssh-\w+|sudo|terraform) "
    r"[^`]+)`"
)

SHAPES = {
    "age": r"age(-keygen)? .*",
    "ansible-doc": r"ansible-doc .*",
    "cat": r'cat "\$DATABASE_URL_FILE".*',
    "compose down": r"docker compose -f docker/docker-compose\.dev\.yml down --volumes",
    "compose staging": r"docker compose -f docker-compose\.staging\.yml (up|down).*",
    "build by arguments": r"docker build --build-arg .*",
    "build with secrets": r"docker build --secret .*",
    "fail2ban": r"fail2ban-client .*",
    "flock": r"flock .*",
    "gh attestation": r"gh attestation .*",
    "gh workflow": r"gh workflow .*",
    "look": r"df -h|docker system df|ss -ltnp",
    "make demo": r"make demo\b.*",
    "make dev": r"make dev",
    "openssl": r"openssl .*",
    "pip": r"pip install .*",
    "pipx inject": r"pipx inject .*",
    "pipx install": r"pipx install restoops",
    "pipx install here": r"pipx install \.",
    "pipx upgrade": r"pipx upgrade .*",
    "run image": r"docker run --rm .*",
    "setup-api": r"ansible-playbook -i \S+ playbooks/setup-api\.yml.*",
    "ssh": r"ssh-keygen .*|ssh-add -l",
    "terraform": r"terraform (output|plan|apply) .*",
    "terraform init": r"terraform init .*",
    "update-api": r"ansible-playbook -i \S+ playbooks/(update|rollback)-api\.yml .*",
}
"""What tests ask for, and what lines of it look like."""

_NAMED = "the text speaks of it, and does not ask for it to be typed"
NOT_RUN = {
    "cd ansible": "where the lines after it are run",
    "cd docker": "where the lines after it are run",
    "pre-commit install": "what it installs, pre-commit fetches from GitHub",
    "terraform force-unlock ID": "the state of the lab is a file, whose lock goes with its process",
    "make bench": "measures for 10 minutes; tests/bench runs each of its parts",
    "make docs": "writes into this checkout; tests/test_site.py builds the same site beside it",
    "make setup": "has been done where tests run, and by CI before",
    "make test   # the tests, on droplet look-alikes": "runs this test; .ci/run runs it",
    **dict.fromkeys(
        ("apt upgrade", "docker compose", "docker inspect", "docker login", "docker logs",
         "docker run -p", "git add --force", "haproxy -x", "kill -9", "python -c pass",
         "python -m restoops.config.reference",
         "set +x", "sudo -n", "terraform destroy", "terraform init"),
        _NAMED,
    ),
}  # fmt: skip
"""Lines that no test runs as they stand, and why."""


def shown(page: Path) -> Iterator[str]:
    """Yield what a page shows to be typed into a shell, but for restoops itself."""
    text = page.read_text()
    for kind, block in _BLOCK.findall(text):
        for line in map(str.strip, block.splitlines()):
            typed = line.removeprefix("$ ")
            is_output = kind not in ("sh", "bash") and (kind != "console" or typed == line)
            is_setting = re.fullmatch(r"[A-Z_]+=\S*", typed) is not None
            if not (is_output or is_setting or typed.startswith(("restoops", "#"))) and typed:
                yield typed
    yield from _INLINE.findall(_BLOCK.sub("", text))


@cache
def all_lines() -> tuple[str, ...]:
    """Return all lines of all pages, each once, in the order in which they are shown."""
    return tuple(dict.fromkeys(line for page in PAGES for line in shown(page)))


def lines(name: str) -> list[str]:
    """Return the lines of one of the `SHAPES`: at least one."""
    found = [line for line in all_lines() if re.fullmatch(SHAPES[name], line)]
    assert found, f"no page shows a line of {name!r}"
    return found


def typed(line: str, folder: Path, *, said: str = "", **variables: str) -> str:
    """Run a line in a shell in `folder`, which is its home as well, and return what it printed.

    `said` is its standard input. Programs of .venv are found first.
    """
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "PATH": path, **variables},
        input=said,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, f"{line} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout
