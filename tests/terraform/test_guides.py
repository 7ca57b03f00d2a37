"""What the environments' READMEs and examples tell an operator to do works as it stands."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs_shell import lines
from tests.dostub.serve import running
from tests.terraform.estate import (
    ENVIRONMENTS,
    MODULES,
    PUBLIC_KEY,
    TREE,
    Estate,
    copy_tree,
    estate,
    new_cloud,
)
from tests.terraform.program import PROJECT, Terraform
from tests.terraform.tables import blocks

EVERY = pytest.mark.parametrize("environment", ENVIRONMENTS)
DEFAULT = re.compile(r"^# (\w+ += .*|  .*|\}$)", re.MULTILINE)
PRICE = re.compile(r"\b[Ff]ree\b|\bPrices\b|gb \d+")
TITLES = ("Set-up", "DNS", "Certificate", "Scaling", "Backup", "Troubleshooting")
USAGE = re.compile(r"```hcl\n(.*?)```", re.DOTALL)
SLACK = 'variable "slack_webhook_url" {\n  default = "https://hooks.slack.com/services/T/B/x"\n}\n'
ABOUT_USD = {"dev": 36, "staging": 250, "production": 340}


def example(environment: str) -> str:
    return (TREE / "environments" / environment / "terraform.tfvars.example").read_text()


def uncommented(text: str) -> str:
    """Return an example with the defaults that it shows given explicitly."""
    return DEFAULT.sub(r"\1", text)


def planned(made: Estate, text: str) -> dict[str, Any]:
    """Plan with these variables, and return what would be."""
    (made.terraform.folder / "terraform.tfvars").write_text(text)
    plan: dict[str, Any] = made.plan(status=2)["planned_values"]
    return plan


@EVERY
def test_an_example_documents_every_variable_and_its_cost(environment: str) -> None:
    folder, text = TREE / "environments" / environment, example(environment)
    shown = re.findall(r"^(?:# )?(\w+) +=", text, re.MULTILINE)
    paragraphs = [it for it in text.split("\n\n") if re.search(r"^(# )?\w+ +=", it, re.MULTILINE)]

    assert sorted(shown) == sorted(name for name, _ in blocks(folder, "variable"))
    assert [it for it in paragraphs if not PRICE.search(it)] == []


@EVERY
def test_an_example_is_accepted_and_shows_the_defaults(tmp_path: Path, environment: str) -> None:
    with estate(tmp_path, environment) as made:
        (made.terraform.folder / "terraform.tfvars.json").unlink()

        as_it_is = planned(made, example(environment))

        assert uncommented(example(environment)) != example(environment)
        assert planned(made, uncommented(example(environment))) == as_it_is


@EVERY
def test_an_example_is_formatted(tmp_path: Path, environment: str) -> None:
    (tmp_path / "as-it-is.tfvars").write_text(example(environment))
    (tmp_path / "uncommented.tfvars").write_text(uncommented(example(environment)))

    Terraform(tmp_path).run("fmt", "-check", "-diff")


@pytest.fixture(params=ENVIRONMENTS)
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terraform]:
    """A clone as an operator has it, but for the state, which stays in a file beside it."""
    root = copy_tree(tmp_path) / "environments" / request.param
    (root / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    (root / "backend.hcl").write_text(f'path = "{tmp_path}/state"\n')
    with running(new_cloud(tmp_path / "cloud.json")) as extra:
        yield Terraform(root, extra)


def test_the_set_up_that_is_described_works(fresh: Terraform) -> None:
    text = (fresh.folder / "README.md").read_text()
    block = text.partition("## Set-up")[2].partition("```sh\n")[2].partition("```")[0]
    typed = [line for line in block.splitlines() if line.startswith("terraform ")]
    commands = [line.split() for line in typed]
    assert lines("terraform init") == typed[:1]
    assert "cp terraform.tfvars.example terraform.tfvars" in block
    shutil.copy(fresh.folder / "terraform.tfvars.example", fresh.folder / "terraform.tfvars")

    assert [words[1] for words in commands] == ["init", "plan", "apply"]
    for words in commands:
        fresh.run(*words[1:])

    assert "a" in fresh.outputs()["hosts"]


def test_the_usage_that_modules_show_makes_an_environment(tmp_path: Path) -> None:
    texts = [(TREE / "modules" / name / "README.md").read_text() for name in MODULES]
    usage = [block for text in texts for block in USAGE.findall(text)]
    provider = (TREE / "environments" / "dev" / "versions.tf").read_text()
    root = copy_tree(tmp_path) / "environments" / "shown"
    root.mkdir()
    (root / "main.tf").write_text("\n".join([provider, SLACK, *usage]))
    cloud = new_cloud(tmp_path / "cloud.json")
    with cloud.open() as account:
        key = {"id": "8", "name": "ci", "public_key": PUBLIC_KEY, "fingerprint": "cc:dd"}
        account["objects"]["digitalocean_ssh_key"]["8"] = key

    with running(cloud) as extra:
        terraform = Terraform(root, extra)
        terraform.run("init", "-input=false")
        terraform.apply()
        terraform.run("plan", "-input=false", "-detailed-exitcode", status=0)

    assert len(usage) == len(MODULES)


@EVERY
def test_a_readme_has_all_that_an_operator_needs(environment: str) -> None:
    text = (TREE / "environments" / environment / "README.md").read_text()

    assert [it for it in TITLES if f"\n## {it}\n" not in text] == []


@EVERY
def test_the_costs_in_a_readme_add_up(environment: str) -> None:
    text = (TREE / "environments" / environment / "README.md").read_text()
    rows = dict(re.findall(r"^\| (.*) \| ([\d.]+) \|$", text, re.MULTILINE))

    assert f"| together | about {ABOUT_USD[environment]} |" in text
    assert sum(map(float, rows.values())) == pytest.approx(ABOUT_USD[environment], rel=0.01)


def test_what_an_operator_leaves_is_not_committed() -> None:
    ignored = (TREE.parent / ".gitignore").read_text().splitlines()

    assert {"*.tfvars", "*.auto.tfvars.json", "*.tfstate", ".terraform/"} <= set(ignored)


def test_the_commands_of_the_guide_work(tmp_path: Path) -> None:
    commands = [shlex.split(line)[1:] for line in lines("terraform")]
    assert len(commands) > 4
    with estate(tmp_path, "staging") as made:
        made.terraform.apply()
        before = made.one("droplet", name="restomarket-staging-a")["id"]

        told = {" ".join(words): made.terraform.run(*words).stdout for words in commands}

        assert told["output -raw database_pool_url"].startswith("postgresql://")
        assert made.one("droplet", name="restomarket-staging-a")["id"] != before
        made.plan(status=0)


def test_what_the_guide_says_of_costs_is_what_the_environments_say() -> None:
    text = (PROJECT / "docs" / "infrastructure.md").read_text()
    rows = re.findall(r"^\| \[(\w+)\]\(\S+\) .*\| (\d+) \|$", text, re.MULTILINE)

    assert {name: int(cost) for name, cost in rows} == ABOUT_USD


def test_every_message_that_the_guide_explains_is_one_that_is_given() -> None:
    rows = (PROJECT / "docs" / "infrastructure.md").read_text().partition("## When it")[2]
    explained = re.findall(r"^\| `([^`]+)` \|", rows, re.MULTILINE)
    code = "\n".join(file.read_text() for file in TREE.rglob("*.tf"))
    foreign = {"Unable to authenticate you", "Backend initialization required",
               "Instance cannot be destroyed", "Error acquiring the state lock",
               "permission denied for schema public"}  # fmt: skip

    ours = [re.sub(r"\d+", "", it).split("  ")[0] for it in explained if it not in foreign]
    assert len(ours) == 3
    assert [it for it in ours if it not in code] == []
