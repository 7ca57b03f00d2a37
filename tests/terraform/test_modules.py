"""Each module alone: its form, its own tests, and every value that it refuses."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dostub.serve import running
from tests.terraform.estate import ENVIRONMENTS, MODULES, TREE, Values, copy_tree, new_cloud
from tests.terraform.program import Terraform
from tests.terraform.refused import ACCEPTED, GOOD, REFUSED
from tests.terraform.tables import FOLDERS, blocks, inputs, renewed

EVICTION_POLICIES = {
    "noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
}  # fmt: skip
MESSAGE = re.compile(r'^ +error_message += "(.*)"$', re.MULTILINE)

In = Callable[[str], Terraform]


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[In]:
    """Returns Terraform in a copy of a module, initialised."""
    folder = tmp_path_factory.mktemp("modules")
    tree = copy_tree(folder)
    ready: set[Path] = set()
    with running(new_cloud(folder / "cloud.json")) as extra:

        def enter(name: str) -> Terraform:
            terraform = Terraform(tree / name, extra)
            if terraform.folder not in ready:
                terraform.run("init", "-input=false", "-backend=false")
                ready.add(terraform.folder)
            return terraform

        yield enter


def text_of(folder: Path) -> str:
    return "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))


def is_said(message: str, begins: str) -> bool:
    """Say whether a message may begin so, once Terraform has filled in values."""
    head = message.split("${")[0]
    return head.startswith(begins) or begins.startswith(head)


def test_code_is_formatted() -> None:
    Terraform(TREE).run("fmt", "-check", "-recursive", "-diff")


def test_unformatted_code_is_found(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('locals {\n a   = "b"\n}\n')

    assert "main.tf" in Terraform(tmp_path).run("fmt", "-check", "-recursive", status=3).stdout


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_code_is_valid(module: In, folder: Path) -> None:
    ended = module(f"{folder.parent.name}/{folder.name}").run("validate", "-json")

    told = json.loads(ended.stdout)
    assert (told["valid"], told["diagnostics"]) == (True, [])


@pytest.mark.parametrize("name", MODULES)
def test_the_tests_of_a_module_pass(module: In, name: str) -> None:
    runs = (TREE / "modules" / name / "tests").glob("*.tftest.hcl")
    count = sum(len(re.findall(r'^run "', file.read_text(), re.MULTILINE)) for file in runs)

    ended = module(f"modules/{name}").run("test")

    assert f"Success! {count} passed, 0 failed." in ended.stdout
    assert count >= 3


@pytest.mark.parametrize("name", MODULES)
def test_each_variable_that_can_be_refused_is_in_a_test_of_its_module(name: str) -> None:
    folder = TREE / "modules" / name
    tests = "\n".join(file.read_text() for file in (folder / "tests").glob("*.tftest.hcl"))
    expected = " ".join(re.findall(r"expect_failures = \[(.*?)\]", tests, re.DOTALL))
    checked = [it for it, variable in blocks(folder, "variable") if "validation" in variable]

    assert checked
    assert [it for it in checked if f"var.{it}" not in expected] == []


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [pytest.param(*it, id=f"{it[0]}: {it[2]}") for it in REFUSED],
)
def test_a_bad_value_is_refused_with_what_to_do(
    module: In, name: str, values: Values, message: str
) -> None:
    terraform = module(f"modules/{name}")
    (terraform.folder / "terraform.tfvars.json").write_text(json.dumps(GOOD[name] | values))

    ended = terraform.run("plan", "-input=false", status=1)

    assert message in ended.said
    assert "hunter2" not in ended.said


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_needs_is_enough(module: In, name: str) -> None:
    terraform = module(f"modules/{name}")
    (terraform.folder / "terraform.tfvars.json").write_text(json.dumps(GOOD[name]))

    terraform.run("plan", "-input=false")


@pytest.mark.parametrize(
    ("name", "values"), [pytest.param(*it, id=f"{it[0]} {it[1]}"[:60]) for it in ACCEPTED]
)
def test_what_is_just_allowed_is_accepted(module: In, name: str, values: Values) -> None:
    terraform = module(f"modules/{name}")
    (terraform.folder / "terraform.tfvars.json").write_text(json.dumps(GOOD[name] | values))

    terraform.run("plan", "-input=false")


@pytest.mark.parametrize("kind", ["lru", "lfu", "random", "ttl", ""])
@pytest.mark.parametrize("of", ["allkeys", "volatile", "noeviction"])
def test_the_eight_eviction_policies_reach_the_api_as_it_writes_them(
    module: In, of: str, kind: str
) -> None:
    policy = f"{of}-{kind}".strip("-")
    terraform = module("modules/redis")
    values = GOOD["redis"] | {"eviction_policy": policy}
    (terraform.folder / "terraform.tfvars.json").write_text(json.dumps(values))

    ended = terraform.run("plan", "-input=false", status=None)

    is_one = policy in EVICTION_POLICIES
    assert ended.status == (0 if is_one else 1)
    assert (f'eviction_policy = "{policy.replace("-", "_")}"' in ended.said) == is_one


@pytest.mark.parametrize("name", MODULES)
def test_every_refusal_is_tested(name: str) -> None:
    messages = [
        json.loads(f'"{text}"') for text in MESSAGE.findall(text_of(TREE / "modules" / name))
    ]
    tested = [message for module, _, message in REFUSED if module == name]

    assert messages
    untested = [it for it in messages if not any(is_said(it, begins) for begins in tested)]
    assert untested == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_everything_is_described_and_typed_and_secrets_are_marked(folder: Path) -> None:
    for name, variable in blocks(folder, "variable"):
        assert variable.get("description", "").endswith("."), name
        assert "any" not in str(variable["type"]).replace("many", ""), name
    for name, output in blocks(folder, "output"):
        assert output.get("description", "").endswith("."), name
        is_secret = name == "password" or (name.endswith("url") and name != "url")
        assert not is_secret or output.get("sensitive"), name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_versions_are_pinned_at_both_ends(folder: Path) -> None:
    text = (folder / "versions.tf").read_text()

    assert re.search(r'required_version = ">= 1\.6(\.3)?, < 2\.0"', text)
    with_valkey = folder.name in (*ENVIRONMENTS, "redis")
    assert f'version = ">= {"2.53" if with_valkey else "2.40"}, < 3.0"' in " ".join(text.split())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_files_are_small(folder: Path) -> None:
    sizes = {it.name: len(it.read_text().splitlines()) for it in folder.glob("*.tf")}

    assert sizes
    assert {name: lines for name, lines in sizes.items() if lines > 250} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_tables_in_readmes_are_up_to_date(folder: Path) -> None:
    text = (folder / "README.md").read_text()

    assert inputs(folder) in text
    assert text == renewed(folder, text), "`python -m tests.terraform.tables` writes them anew"


def test_only_environments_hold_providers_and_backends() -> None:
    for folder in FOLDERS:
        is_root = folder.name in ENVIRONMENTS
        found = re.findall(r"^ *(?:provider|backend) ", text_of(folder), re.MULTILINE)
        assert len(found) == (2 if is_root else 0), folder.name
        assert "provisioner" not in text_of(folder)
        assert not re.search(r"^  count ", text_of(folder), re.MULTILINE)
