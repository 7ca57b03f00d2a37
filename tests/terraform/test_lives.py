"""What happens to environments in the course of their lives: changes, failures, the end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.terraform.estate import ADMIN, ENVIRONMENTS, Estate, Values, estate, needed

DROPLET = 'module.api_cluster.digitalocean_droplet.api["{}"]'
WORLD = ["0.0.0.0/0", "::/0", "0.0.0.0/1", "2000::/3"]
EVERY = pytest.mark.parametrize("environment", ENVIRONMENTS)


GROWN = {"a": {"reserved_ip": True, "volumes": {"data": {"size_gb": 10}}}}


@contextmanager
def grown_production(folder: Path) -> Iterator[Estate]:
    """Production with a volume and a reserved IP, applied."""
    with estate(folder, "production") as made:
        made.give(**needed("production"), droplets=GROWN)
        made.terraform.apply()
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with grown_production(tmp_path_factory.mktemp("production")) as made:
        yield made


@pytest.fixture
def production(shared: Estate) -> Estate:
    """Production for tests that leave it as it is, with the variables that it was applied with."""
    shared.give(**needed("production"), droplets=GROWN)
    shared.cloud.forget_calls()
    return shared


@pytest.fixture
def changeable(tmp_path: Path) -> Iterator[Estate]:
    """Production for a test that changes it."""
    with grown_production(tmp_path) as made:
        yield made


@EVERY
def test_a_host_key_is_told_from_birth(tmp_path: Path, environment: str) -> None:
    private = "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----\n"
    key = {"private": private, "public": "ssh-ed25519 AAAAhost a"}
    with estate(tmp_path, environment) as made:
        file = made.terraform.folder / "host_keys.auto.tfvars.json"
        file.write_text(json.dumps({"host_keys": {"a": key}}))

        said = made.terraform.apply().said

        assert made.terraform.outputs()["hosts"]["a"]["host_key"] == "ssh-ed25519 AAAAhost a"
        made.plan(status=0)
        state = (made.terraform.folder / "terraform.tfstate").read_text()
        assert "hunter2" not in said + state


@EVERY
def test_removing_a_droplet_does_not_touch_another(tmp_path: Path, environment: str) -> None:
    with estate(tmp_path, environment) as made:
        made.give(**needed(environment), droplets={"a": {}, "b": {}, "c": {}})
        made.terraform.apply()

        made.give(**needed(environment), droplets={"b": {}, "c": {}})

        changed = made.changes()
        assert changed == {
            DROPLET.format("a"): ["delete"],
            'module.api_cluster.terraform_data.host_key["a"]': ["delete"],
        }
        made.terraform.run("apply", "plan")
        assert made.names("droplet") == {
            f"restomarket-{environment}-b", f"restomarket-{environment}-c",
        }  # fmt: skip


@EVERY
def test_what_droplets_are_born_with_can_change_without_replacing_them(
    tmp_path: Path, environment: str
) -> None:
    with estate(tmp_path, environment) as made:
        made.terraform.apply()

        made.give(**needed(environment), extra_user_data="#!/bin/sh\ntrue\n", api_port=3002)

        assert not [it for it in made.changes() if "droplet" in it]


@EVERY
@pytest.mark.parametrize("address", WORLD)
def test_ssh_is_not_opened_to_the_world(tmp_path: Path, environment: str, address: str) -> None:
    with estate(tmp_path, environment) as made:
        made.give(**{**needed(environment), "admin_addresses": [ADMIN, address]})

        ended = made.terraform.run("apply", "-auto-approve", status=1)

        assert "SSH is not opened to the world: name your own address or range" in ended.said
        assert made.cloud.calls() == []


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_an_environment_can_be_destroyed(tmp_path: Path, environment: str) -> None:
    with estate(tmp_path, environment) as made:
        made.terraform.apply()

        made.terraform.run("destroy", "-auto-approve")

        with made.cloud.open() as account:
            assert {kind for kind, found in account["objects"].items() if found} == {
                "digitalocean_ssh_key"
            }


@pytest.mark.parametrize(
    ("change", "resource"),
    [
        pytest.param({"project": "other"}, "terraform_data.database", id="a new database"),
        pytest.param({"project": "other"}, "terraform_data.cache", id="a new cache"),
        pytest.param({"region": "nyc3"}, "terraform_data.load_balancer", id="a new balancer"),
        pytest.param({"droplets": {"a": {"reserved_ip": True}}},
                     'terraform_data.volume["a-data"]', id="a volume less"),
        pytest.param({"droplets": {"a": {"volumes": {"data": {"size_gb": 10}}}}},
                     'terraform_data.reserved_ip["a"]', id="a reserved IP less"),
    ],
)  # fmt: skip
def test_a_change_that_loses_data_of_production_is_refused(
    production: Estate, change: Values, resource: str
) -> None:
    production.give(**{**needed("production"), "droplets": GROWN, **change})

    ended = production.terraform.run("apply", "-auto-approve", status=1)

    assert f"Resource {resource} has lifecycle.prevent_destroy set" in ended.said
    assert production.cloud.calls() == []


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-target=module.database",),
        ("-target=module.database.digitalocean_database_db.app",),
        ("-target=module.cache",),
        ("-target=module.api_cluster.digitalocean_volume.data",),
    ],
)
def test_destroying_production_is_refused(production: Estate, words: tuple[str, ...]) -> None:
    ended = production.terraform.run("destroy", "-auto-approve", *words, status=1)

    assert "has lifecycle.prevent_destroy set" in ended.said
    assert production.cloud.calls() == []


@pytest.mark.parametrize(
    "address",
    [
        "module.database.digitalocean_database_cluster.main",
        "module.database.digitalocean_database_db.app",
        "module.cache.digitalocean_database_cluster.main",
        'module.api_cluster.digitalocean_volume.data["a-data"]',
        'module.api_cluster.digitalocean_reserved_ip.api["a"]',
        "module.load_balancer.digitalocean_loadbalancer.main",
        "module.networking.digitalocean_vpc.main",
    ],
)
def test_replacing_what_holds_data_of_production_is_refused(
    production: Estate, address: str
) -> None:
    ended = production.terraform.run("apply", "-auto-approve", f"-replace={address}", status=1)

    assert "has lifecycle.prevent_destroy set" in ended.said
    assert production.cloud.calls() == []


def test_production_can_be_destroyed_once_its_protection_is_taken_away(changeable: Estate) -> None:
    (changeable.terraform.folder / "protection.tf").unlink()

    changeable.terraform.apply()
    changeable.terraform.run("destroy", "-auto-approve")

    assert changeable.names("database_cluster") == set()


def test_production_grows_without_replacing_anything(changeable: Estate) -> None:
    volumes = {"data": {"size_gb": 20}, "logs": {"size_gb": 5}}
    droplets = {"a": {"reserved_ip": True, "volumes": volumes}, "b": {"size": "s-4vcpu-8gb"}}
    bigger = {"size": "db-s-4vcpu-8gb", "pool_size": 25}

    changeable.give(**needed("production"), droplets=droplets, database=bigger)

    assert set(map(tuple, changeable.changes().values())) == {("create",), ("update",)}
    changeable.terraform.run("apply", "plan")
    changeable.plan(status=0)


def test_production_says_when_it_lacks_https(production: Estate) -> None:
    assert "Production serves plain HTTP" in production.terraform.run("plan").said

    production.give(**needed("production"), droplets=GROWN, certificate_name="api")

    assert "Production serves plain HTTP" not in production.terraform.run("plan").said


def test_a_certificate_brings_https(tmp_path: Path) -> None:
    with estate(tmp_path, "staging") as made:
        made.give(**needed("staging"), certificate_name="api", domain="api.example.com")
        made.terraform.apply()

        balancer = made.one("loadbalancer")
        entries = {
            (it["entry_protocol"], it["entry_port"], it["target_protocol"], it["target_port"],
             it["certificate_name"] or None)
            for it in balancer["forwarding_rule"]
        }  # fmt: skip
        assert entries == {("https", 443, "http", 3001, "api"), ("http", 80, "http", 3001, None)}
        assert balancer["redirect_http_to_https"] is True
        assert made.terraform.outputs()["url"] == "https://api.example.com"


def test_clients_reach_dev_directly_when_they_are_named(tmp_path: Path) -> None:
    with estate(tmp_path, "dev") as made:
        made.give(**needed("dev"), client_addresses=["198.51.100.0/24"])
        made.terraform.apply()

        found = [it for it in made.rules("api") if it.get("port_range") == "3001"]
        assert found == [
            {"protocol": "tcp", "port_range": "3001", "source_addresses": ["198.51.100.0/24"]}
        ]


def test_a_reserved_ip_is_the_public_address(production: Estate) -> None:
    reserved = production.one("reserved_ip")["ip_address"]

    assert production.terraform.outputs()["hosts"]["a"]["public"] == reserved
    assignment = production.one("reserved_ip_assignment")
    droplet = production.one("droplet")
    assert (assignment["ip_address"], str(assignment["droplet_id"])) == (reserved, droplet["id"])


def test_a_volume_is_attached_to_its_droplet(production: Estate) -> None:
    volume, attachment = production.one("volume"), production.one("volume_attachment")

    assert volume["name"] == "restomarket-production-a-data"
    assert attachment["volume_id"] == volume["id"]
    assert str(attachment["droplet_id"]) == production.one("droplet")["id"]


def test_what_failed_half_way_is_finished_by_the_next_apply(tmp_path: Path) -> None:
    with estate(tmp_path, "staging") as made:
        made.cloud.fail_on("digitalocean_droplet", "create", "429 Too many requests")
        assert (
            "429 Too many requests" in made.terraform.run("apply", "-auto-approve", status=1).said
        )
        made.cloud.fail_on("digitalocean_droplet", "create", "")

        made.terraform.apply()

        made.plan(status=0)
        assert len(made.names("droplet")) == 2
        assert len(made.names("vpc")) == 1


def test_a_replica_in_another_region_trusts_the_same_sources(tmp_path: Path) -> None:
    with estate(tmp_path, "staging") as made:
        made.give(**needed("staging"), database={"replica": {"region": "ams3"}})
        made.terraform.apply()

        replica = made.one("database_replica")
        assert replica["region"] == "ams3"
        wall = made.one("database_firewall", cluster_id=replica["uuid"])
        assert [it["value"] for it in wall["rule"]] == ["restomarket-staging-api"]
        assert made.terraform.outputs()["database_replica_url"].endswith("?sslmode=require")
        made.plan(status=0)
