"""Other programs that the documentation shows: each line is one that a test runs, named here.

Those of restoops itself are in test_docs.py.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs_text import PAGES, PROJECT

RUN_BY = {
    r"make (demo|dev|test)\b.*": ("tests/test_demo.py", "make demo"),
    r"age(-keygen)? .*": ("tests/safekeeping/test_sources.py", r"(age.*)$"),
    r'cat "\$DATABASE_URL_FILE".*': ("tests/e2e/test_secrets.py", "root/run/secrets"),
    r"cd (ansible|docker)": ("tests/docker/stack.py", "cwd="),
    r"ansible-playbook -i inventories/staging playbooks/setup-api\.yml.*":
        ("tests/ansible/playbook.py", "setup-api.yml"),
    r"ansible-playbook -i inventories/staging playbooks/(update|rollback)-api\.yml .*":
        ("tests/e2e/playbooks.py", "rollback-api.yml"),
    r"docker compose -f (docker/)?docker-compose\.(dev|staging)\.yml (up|down) ?.*":
        ("tests/docker/test_compose.py", "docker-compose.staging.yml"),
    r"docker build --build-arg APP_NAME=.*": ("tests/docker/test_image.py", "APP_NAME"),
    r"docker build --secret id=npmrc.*": ("tests/docker/image.py", "--secret=id="),
    r"docker run --rm ghcr\.io/restomarket/restoops:1\.2\.3 --version":
        ("tests/docker/test_ci_image.py", '"--version"'),
    r"openssl rand -hex 32": ("tests/test_docs_programs.py", '"openssl"'),
    r"pipx install restoops": ("tests/test_package.py", '"install", wheel'),
    r"terraform (output|plan|apply) .*": ("tests/terraform/test_lives.py", "apply"),
}  # fmt: skip
"""What a line looks like: the file with the test that runs it, and what stands there."""


def programs(page: Path) -> Iterator[str]:
    """Yield what a page shows to be typed into a shell, but for restoops itself."""
    for kind, block in re.findall(
        r"^ *```(sh|bash|console)\n(.*?)^ *```", page.read_text(), re.S | re.M
    ):
        for line in map(str.strip, block.splitlines()):
            typed = line.removeprefix("$ ")
            is_output = kind == "console" and typed == line
            is_setting = re.fullmatch(r"[A-Z_]+=\S*", typed) is not None
            if not (is_output or is_setting or typed.startswith(("restoops", "#"))) and typed:
                yield typed


SHOWN = sorted({line for page in PAGES for line in programs(page)})


@pytest.mark.parametrize("line", SHOWN)
def test_a_program_that_is_shown_is_run_by_a_test(line: str) -> None:
    (found,) = [where for shape, where in RUN_BY.items() if re.fullmatch(shape, line)]

    assert found[1] in (PROJECT / found[0]).read_text()


def test_a_key_for_fingerprints_is_as_long_as_it_has_to_be() -> None:
    made = subprocess.run(["openssl", "rand", "-hex", "32"], capture_output=True, check=True)

    assert len(made.stdout.strip()) == 64


def test_no_test_is_named_for_what_nobody_shows() -> None:
    idle = [shape for shape in RUN_BY if not any(re.fullmatch(shape, it) for it in SHOWN)]

    assert idle == []


def test_a_line_is_found_wherever_it_stands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("1. a\n\n    ```console\n    $ rm -r /\n    gone\n    ```\n\n```sh\nls\n```\n")

    assert list(programs(page)) == ["rm -r /", "ls"]
