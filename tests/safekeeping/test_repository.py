"""What the repository brings against leaks: rules, ignored files, hooks, templates."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from restoops.adapters.env_text import read_env
from restoops.adapters.scanners import Orders, find_scanner
from restoops.plan.env_check import is_placeholder
from restoops.plan.env_template import template_of
from tests.safekeeping.canaries import GITHUB_TOKEN, OF_OUR_RULES, PASSWORD, leak
from tests.safekeeping.stage import Project

ROOT = Path(__file__).parents[2]
RULES = ROOT / ".gitleaks.toml"
TEMPLATES = sorted((ROOT / "templates").rglob(".env*.example"))
ENVIRONMENTS = [
    ".env", ".env.local", ".env.production", ".env.staging.local", ".env~", ".env.bak", ".envrc",
    ".env.example.local", ".env_prod", "prod.env", "prod.env.bak", "apps/api/.env",
    "apps/api/.env.test", "apps/web/.env.development.local",
]  # fmt: skip
EXAMPLES = [
    ".env.example", ".env.development.example", ".env.staging.example", "apps/api/.env.example",
]  # fmt: skip


def scanned(folder: Path, tmp_path: Path, **which: Any) -> list[tuple[str, str]]:
    """Return rule and file of all that the real gitleaks finds by our rules."""
    scanner = find_scanner(lambda name: str(Path(sys.executable).parent / name))
    found = scanner.scan(Orders(folder, config=RULES, **which), tmp_path / "report.json")
    assert found.missed == ()
    return sorted((it["RuleID"], it["File"]) for it in found.findings)


def test_each_rule_of_ours_finds_its_canary_and_nothing_else_does(
    project: Project, tmp_path: Path
) -> None:
    for name, text in OF_OUR_RULES.values():
        project.write(name, text)

    ours = {it["id"] for it in tomllib.loads(RULES.read_text())["rules"]}

    assert ours == set(OF_OUR_RULES)
    wanted = sorted((rule, name) for rule, (name, _) in OF_OUR_RULES.items())
    assert scanned(project.folder, tmp_path, files=".") == wanted
    project.commit()
    assert scanned(project.folder, tmp_path) == wanted


def test_templates_pass_and_a_secret_in_one_does_not(project: Project, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "templates", project.folder / "templates")
    assert scanned(project.folder, tmp_path, files=".") == []

    for name in EXAMPLES:
        leak(project, name)

    assert scanned(project.folder, tmp_path, files=".") == [
        ("github-pat", name) for name in sorted(EXAMPLES)
    ]


def test_what_is_put_in_later_passes(project: Project, tmp_path: Path) -> None:
    project.write(
        "compose.yml",
        "A: postgresql://${POSTGRES_USER:-app}:${POSTGRES_PASSWORD:-app}@postgres:5432/app\n"
        "B: redis://:<password>@redis:6379\n"
        "C: amqp://app:{{ password }}@queue:5672\n"
        "D: mysql://app:$DATABASE_PASSWORD@db/app\n",
    )
    project.write("node_modules/them/index.js", f'const token = "{GITHUB_TOKEN}";\n')
    project.write(".venv/lib/them.py", f'URL = "postgresql://a:{PASSWORD}@db/a"\n')

    assert scanned(project.folder, tmp_path, files=".") == []


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let git read this checkout, whoever it belongs to."""
    words = {"COUNT": "1", "KEY_0": "safe.directory", "VALUE_0": "*"}
    for name, value in words.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)


@pytest.mark.usefixtures("trusted")
def test_no_commit_of_this_repository_has_a_secret(tmp_path: Path) -> None:
    assert scanned(ROOT, tmp_path) == []


def test_git_ignores_an_environment_in_any_variation_and_no_template(project: Project) -> None:
    shutil.copy(ROOT / ".gitignore", project.folder)
    argv = ["git", "-C", str(project.folder), "check-ignore", "--no-index", "--stdin"]
    names = "\n".join([*ENVIRONMENTS, *EXAMPLES])
    done = subprocess.run(argv, input=names, capture_output=True, text=True, check=False)

    assert done.stdout.splitlines() == ENVIRONMENTS


def hooks() -> dict[str, dict[str, Any]]:
    """Return the hooks that run before a commit, each with the repository that it is of."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    return {hook["id"]: {**hook, "of": it} for it in config["repos"] for hook in it["hooks"]}


def test_hooks_look_for_all_that_was_promised() -> None:
    assert hooks().keys() >= {
        "gitleaks", "trailing-whitespace", "end-of-file-fixer", "check-added-large-files",
        "check-merge-conflict", "detect-private-key", "terraform_fmt", "terraform_validate",
        "ruff-check", "ruff-format",
    }  # fmt: skip


def test_hooks_are_pinned_and_ruff_is_the_one_of_make_check() -> None:
    locked = re.findall(r"^ruff==.*", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    for hook in hooks().values():
        if hook["of"]["repo"] == "local":
            assert hook["additional_dependencies"] == locked
        else:
            assert re.fullmatch(r"[0-9a-f]{40}", hook["of"]["rev"])


@pytest.mark.usefixtures("trusted")
def test_files_that_a_hook_passes_over_are_there() -> None:
    argv = ["git", "-C", str(ROOT), "ls-files"]
    tracked = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    for name, hook in hooks().items():
        if "exclude" in hook:
            assert any(re.search(hook["exclude"], it) for it in tracked), name


def test_templates_are_valid_and_hold_placeholders_where_a_secret_belongs() -> None:
    assert len(TEMPLATES) == 3
    for path in TEMPLATES:
        entries = read_env(path, "")
        template = template_of(entries)
        assert template.faults == ()
        wanted = {it.name for it in template.variables if not it.is_optional}
        values = {it.name: it.value.reveal() for it in entries}
        assert all(is_placeholder(values[name]) for name in wanted), path
