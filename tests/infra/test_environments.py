"""`restoops infra` on the environments of this repository, from nothing to the end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.dostub.serve import running
from tests.infra.s3 import serving
from tests.infra.stage import SlowCloud, Stage
from tests.terraform.estate import LOCAL_BACKEND, PUBLIC_KEY, SSH_KEY, copy_tree, needed

COSTS = {"dev": 36, "staging": 250, "production": 340}
"""USD a month, as the READMEs of the environments say: about."""


@contextmanager
def environment(folder: Path, name: str) -> Iterator[Stage]:
    """Yield an environment of ours, with its state in its folder."""
    cloud = SlowCloud(folder / "account.json")
    key = {"id": "7", "name": SSH_KEY, "public_key": PUBLIC_KEY, "fingerprint": "aa:bb"}
    with cloud.open() as account:
        account["objects"]["digitalocean_ssh_key"] = {"7": key}
    with running(cloud) as env:
        made = Stage(folder / "project", cloud, env, name)
        copy_tree(made.folder)
        made.write(LOCAL_BACKEND, "backend_override.tf")
        made.write(json.dumps(needed(name)), "terraform.tfvars.json")
        yield made


@pytest.mark.parametrize(
    "name",
    [pytest.param(it, marks=() if it == "production" else pytest.mark.full) for it in COSTS],
)
def test_an_environment_lives_from_its_keys_to_its_picture(tmp_path: Path, name: str) -> None:
    with environment(tmp_path, name) as project:
        made = project.good("host-keys", name, "a", "b", "c", "--json").out.splitlines()
        keys = [json.loads(line)["public"] for line in made]
        project.good("init", name)
        project.good("validate", name)
        planned = project.good("plan", name, "--json").last_json
        project.good("apply", name, "--yes")

        again = project.good("plan", name, "--check").out
        hosts = yaml.safe_load(project.good("inventory", name).out)["all"]["children"]["api"]
        lines = project.good("inventory", name, "--known-hosts").out.splitlines()
        picture = project.good("graph", name).out
        cost = project.good("cost", name, "--json").last_json

    assert again.startswith(f"{name}: no changes")
    assert abs(planned["after"]["monthly"] - COSTS[name]) <= COSTS[name] * 0.1
    assert planned["after"]["monthly"] == cost["monthly"]
    assert [line for line in cost["lines"] if line["monthly"] is None] == []
    assert [line.split(" ", 1)[1] for line in lines] == keys[: len(lines)]
    assert len(lines) == len(hosts["hosts"]) == {"dev": 1, "staging": 2, "production": 3}[name]
    for host in hosts["hosts"]:
        assert host in picture
    assert "open to everybody" not in picture


@pytest.mark.parametrize("name", [it for it in COSTS if it != "production"])
def test_a_plan_costs_what_the_readme_says(tmp_path: Path, name: str) -> None:
    with environment(tmp_path, name) as project:
        project.good("init", name)
        planned = project.good("plan", name, "--json").last_json

    assert abs(planned["after"]["monthly"] - COSTS[name]) <= COSTS[name] * 0.1


@pytest.mark.parametrize(
    "name",
    [pytest.param(it, marks=() if it == "production" else pytest.mark.full) for it in COSTS],
)
def test_the_backend_of_an_environment_takes_what_is_written_for_it(
    tmp_path: Path, name: str
) -> None:
    bucket = f"restomarket-api-{name}-tfstate"
    with serving() as server, environment(tmp_path, name) as project:
        (project.root / "backend_override.tf").unlink()
        project.env.update(SPACES_ACCESS_KEY_ID="spaces-key", SPACES_SECRET_ACCESS_KEY="spaces-key")
        project.good("backend", name, "--region", "fra1", "--endpoint", server.url, "--probe")
        project.good("init", name)
        project.good("apply", name, "--yes")

        again = project.good("plan", name, "--check").out
        kept = server.client().list_objects_v2(Bucket=bucket)["Contents"]

    assert again.startswith(f"{name}: no changes")
    assert [it["Key"] for it in kept] == [f"{name}/terraform.tfstate"]


def test_production_is_protected_and_names_what_protects_it(tmp_path: Path) -> None:
    with environment(tmp_path, "production") as project:
        project.good("init", "production")
        project.good("apply", "production", "--yes")
        done = project.run("destroy", "production", "--yes")

        assert done.status == 1
        assert "production is protected" in done.err
        assert len(project.cloud.find("digitalocean_droplet")) == 3


def test_nothing_of_a_host_key_is_in_any_output(tmp_path: Path) -> None:
    with environment(tmp_path, "dev") as project:
        project.good("host-keys", "dev", "a")
        file = project.root / "host_keys.auto.tfvars.json"
        private = json.loads(file.read_text())["host_keys"]["a"]["private"]
        project.good("init", "dev")
        with project.cloud.open() as account:
            account["fail"]["digitalocean_droplet.create"] = f"422 bad user_data: {private}"
        told = [project.run("plan", "dev").all, project.run("apply", "dev", "--yes").all]

    assert "422 bad user_data" in told[1]
    for line in private.splitlines():
        assert line not in "".join(told)
