"""The whole life of each environment, applied by the real terraform to an imitation account."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terraform.estate import ADMIN, ENVIRONMENTS, Estate, Values, estate, needed

DROPLETS = {"dev": {"a"}, "staging": {"a", "b"}, "production": {"a", "b", "c"}}
RANGES = {"dev": "10.10.0.0/16", "staging": "10.20.0.0/16", "production": "10.30.0.0/16"}
DROPLET = 'module.api_cluster.digitalocean_droplet.api["{}"]'
WORLD = ["0.0.0.0/0", "::/0", "0.0.0.0/1", "2000::/3"]
EVERY = pytest.mark.parametrize("environment", ENVIRONMENTS)


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def applied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Estate]:
    """Each environment, applied with nothing but the variables that have to be given."""
    with estate(tmp_path_factory.mktemp("estate"), request.param) as made:
        made.terraform.apply()
        yield made


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Estate]:
    with estate(tmp_path, "production") as made:
        volumes = {"data": {"size_gb": 10}}
        made.give(**needed("production"), droplets={"a": {"reserved_ip": True, "volumes": volumes}})
        made.terraform.apply()
        yield made


def environment_of(made: Estate) -> str:
    return made.terraform.folder.name


def rules(made: Estate, name: str) -> list[Values]:
    """Return the inbound rules of a firewall, without what they leave empty."""
    found = made.one("firewall", name=f"restomarket-{environment_of(made)}-{name}")
    return [{k: v for k, v in rule.items() if v} for rule in found["inbound_rule"]]


def test_a_second_plan_is_empty(applied: Estate) -> None:
    assert applied.plan(status=0)["applyable"] is False


def test_the_network_is_as_required(applied: Estate) -> None:
    environment = environment_of(applied)
    vpc = applied.one("vpc")

    assert vpc["ip_range"] == RANGES[environment]
    for kind in ("droplet", "loadbalancer"):
        assert {it["vpc_uuid"] for it in applied.cloud.find(f"digitalocean_{kind}")} <= {vpc["id"]}
    clusters = applied.cloud.find("digitalocean_database_cluster")
    assert {it["private_network_uuid"] for it in clusters} == {vpc["id"]}


def test_droplets_are_as_required(applied: Estate) -> None:
    environment = environment_of(applied)
    droplets = applied.cloud.find("digitalocean_droplet")
    is_dev = environment == "dev"

    wanted = {f"restomarket-{environment}-{key}" for key in DROPLETS[environment]}
    assert {it["name"] for it in droplets} == wanted
    assert {it["size"] for it in droplets} == {"s-1vcpu-1gb" if is_dev else "s-2vcpu-4gb"}
    assert {it["backups"] for it in droplets} == {not is_dev}
    assert {it["monitoring"] for it in droplets} == {True}


def test_databases_are_as_required(applied: Estate) -> None:
    environment = environment_of(applied)
    database = applied.one("database_cluster", engine="pg")
    cache = applied.one("database_cluster", engine="valkey")

    nodes = {"dev": 1, "staging": 2, "production": 3}[environment]
    assert database["node_count"] == nodes
    assert database["size"] == ("db-s-1vcpu-1gb" if environment == "dev" else "db-s-2vcpu-4gb")
    assert cache["version"] == "8"
    assert cache["eviction_policy"] == "allkeys_lru"
    pools = applied.cloud.find("digitalocean_database_connection_pool")
    wanted = [] if environment == "dev" else [("transaction", 25)]
    assert [(it["mode"], it["size"]) for it in pools] == wanted


def test_databases_trust_the_droplets_of_the_environment_only(applied: Estate) -> None:
    firewalls = applied.cloud.find("digitalocean_database_firewall")
    trusted = [(it["type"], it["value"]) for wall in firewalls for it in wall["rule"]]

    assert trusted == [("tag", f"restomarket-{environment_of(applied)}-api")] * 2


def test_the_api_firewall_lets_in_what_is_required(applied: Estate) -> None:
    found = rules(applied, "api")
    ssh = [it for it in found if it.get("port_range") == "22"]
    inside = RANGES[environment_of(applied)]

    assert [it["source_addresses"] for it in ssh] == [[ADMIN]]
    assert {it["protocol"] for it in found if it.get("source_addresses") == [inside]} == {
        "tcp", "udp", "icmp",
    }  # fmt: skip
    balancers = applied.cloud.find("digitalocean_loadbalancer")
    web = {it["port_range"]: it["source_load_balancer_uids"] for it in found
           if "source_load_balancer_uids" in it}  # fmt: skip
    ids = [it["id"] for it in balancers]
    assert web == ({"80": ids, "443": ids, "3001": ids} if balancers else {})
    assert len(found) == len(ssh) + 3 + len(web)


def test_the_database_firewall_lets_in_postgresql_from_the_vpc_only(applied: Estate) -> None:
    inside = RANGES[environment_of(applied)]

    assert rules(applied, "database") == [
        {"protocol": "tcp", "port_range": "5432", "source_addresses": [inside]}
    ]


def test_the_load_balancer_is_as_required(applied: Estate) -> None:
    environment = environment_of(applied)
    balancers = applied.cloud.find("digitalocean_loadbalancer")
    if environment == "dev":
        assert balancers == []
        return
    [balancer] = balancers
    [check] = balancer["healthcheck"]

    assert balancer["droplet_tag"] == f"restomarket-{environment}-api"
    assert balancer["sticky_sessions"] == []
    assert (check["path"], check["port"], check["protocol"]) == ("/health", 3001, "http")
    assert (check["check_interval_seconds"], check["response_timeout_seconds"]) == (10, 5)
    assert (check["unhealthy_threshold"], check["healthy_threshold"]) == (3, 2)


def test_alerts_are_as_required(applied: Estate) -> None:
    alerts = applied.cloud.find("digitalocean_monitor_alert")
    wanted = {"cpu": 80, "memory_utilization_percent": 85, "disk_utilization_percent": 90,
              "load_5": 3}  # fmt: skip

    found = {it["type"].rpartition("/")[2]: it["value"] for it in alerts}
    assert found == ({} if environment_of(applied) == "dev" else wanted)
    assert {(it["window"], it["compare"]) for it in alerts} <= {("5m", "GreaterThan")}


def test_outputs_are_what_restoops_reads(applied: Estate) -> None:
    environment = environment_of(applied)
    outputs = applied.terraform.outputs()
    hosts = outputs["hosts"]

    assert hosts.keys() == DROPLETS[environment]
    for key, host in hosts.items():
        droplet = applied.one("droplet", name=f"restomarket-{environment}-{key}")
        assert host == {
            "name": droplet["name"],
            "public": droplet["ipv4_address"],
            "private": droplet["ipv4_address_private"],
            "host_key": None,
        }
    inventory = outputs["inventory"]["all"]["children"]["api"]
    assert inventory["hosts"] == {
        host["name"]: {
            "ansible_host": host["public"],
            "ansible_user": "deploy",
            "private_address": host["private"],
        }
        for host in hosts.values()
    }
    assert inventory["vars"] == {"restoops_environment": environment, "restoops_api_port": 3001}


def test_the_url_is_what_clients_use(applied: Estate) -> None:
    outputs = applied.terraform.outputs()
    direct = f"http://{outputs['hosts']['a']['public']}:3001"

    balancers = [f"http://{it['ip']}" for it in applied.cloud.find("digitalocean_loadbalancer")]
    assert [outputs["url"]] == (balancers or [direct])


def test_connection_strings_demand_tls_and_are_not_shown(applied: Estate) -> None:
    outputs = applied.terraform.outputs()
    urls = {name: value for name, value in outputs.items() if name.startswith("database") and
            name.endswith("_url") and value}  # fmt: skip

    assert len(urls) == (1 if environment_of(applied) == "dev" else 2)
    for url in urls.values():
        assert url.startswith("postgresql://app:")
        assert url.endswith("?sslmode=require")
        assert "@private-restomarket-" in url
    assert outputs["cache_url"].startswith("rediss://default:")
    shown = applied.terraform.run("output").stdout
    assert not [url for url in [*urls.values(), outputs["cache_url"]] if url in shown]


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
    volumes = {"data": {"size_gb": 10}}
    given = {"droplets": {"a": {"reserved_ip": True, "volumes": volumes}}}
    production.give(**{**needed("production"), **given, **change})
    production.cloud.forget_calls()

    ended = production.terraform.run("apply", "-auto-approve", status=1)

    assert f"Resource {resource} has lifecycle.prevent_destroy set" in ended.said
    assert production.cloud.calls() == []


@pytest.mark.parametrize("words", [(), ("-target=module.database",), ("-target=module.cache",)])
def test_destroying_production_is_refused(production: Estate, words: tuple[str, ...]) -> None:
    production.cloud.forget_calls()

    ended = production.terraform.run("destroy", "-auto-approve", *words, status=1)

    assert "has lifecycle.prevent_destroy set" in ended.said
    assert production.cloud.calls() == []


def test_production_can_be_destroyed_once_its_protection_is_taken_away(production: Estate) -> None:
    (production.terraform.folder / "protection.tf").unlink()

    production.terraform.apply()
    production.terraform.run("destroy", "-auto-approve")

    assert production.names("database_cluster") == set()


def test_production_grows_without_replacing_anything(production: Estate) -> None:
    volumes = {"data": {"size_gb": 20}, "logs": {"size_gb": 5}}
    droplets = {"a": {"reserved_ip": True, "volumes": volumes}, "b": {"size": "s-4vcpu-8gb"}}
    bigger = {"size": "db-s-4vcpu-8gb", "pool_size": 25}

    production.give(**needed("production"), droplets=droplets, database=bigger)

    assert set(map(tuple, production.changes().values())) == {("create",), ("update",)}
    production.terraform.run("apply", "plan")
    production.plan(status=0)


def test_production_says_when_it_lacks_https(production: Estate) -> None:
    assert "Production serves plain HTTP" in production.terraform.run("plan").said

    droplets = {"a": {"reserved_ip": True, "volumes": {"data": {"size_gb": 10}}}}
    production.give(**needed("production"), droplets=droplets, certificate_name="api")

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

        found = [it for it in rules(made, "api") if it.get("port_range") == "3001"]
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
