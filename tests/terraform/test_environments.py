"""Each environment, applied by the real terraform to an imitation account, is as required."""

from collections.abc import Iterator
from typing import Literal

import pytest

from restoops.config.hosts import terraform_targets
from restoops.config.schema import TerraformOutputs
from tests.terraform.estate import ADMIN, ENVIRONMENTS, Estate, estate

DROPLETS = {"dev": {"a"}, "staging": {"a", "b"}, "production": {"a", "b", "c"}}
RANGES = {"dev": "10.10.0.0/16", "staging": "10.20.0.0/16", "production": "10.30.0.0/16"}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def applied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Estate]:
    """Each environment, applied with nothing but the variables that have to be given."""
    with estate(tmp_path_factory.mktemp("estate"), request.param) as made:
        made.terraform.apply()
        yield made


def test_a_second_plan_is_empty(applied: Estate) -> None:
    changes = applied.plan(status=0)["resource_changes"]

    assert len(changes) > 10
    assert {tuple(it["change"]["actions"]) for it in changes} == {("no-op",)}


def test_the_network_is_as_required(applied: Estate) -> None:
    environment = applied.environment
    vpc = applied.one("vpc")

    assert vpc["ip_range"] == RANGES[environment]
    for kind in ("droplet", "loadbalancer"):
        assert {it["vpc_uuid"] for it in applied.cloud.find(f"digitalocean_{kind}")} <= {vpc["id"]}
    clusters = applied.cloud.find("digitalocean_database_cluster")
    assert {it["private_network_uuid"] for it in clusters} == {vpc["id"]}


def test_droplets_are_as_required(applied: Estate) -> None:
    environment = applied.environment
    droplets = applied.cloud.find("digitalocean_droplet")
    is_dev = environment == "dev"

    wanted = {f"restomarket-{environment}-{key}" for key in DROPLETS[environment]}
    assert {it["name"] for it in droplets} == wanted
    assert {it["size"] for it in droplets} == {"s-1vcpu-1gb" if is_dev else "s-2vcpu-4gb"}
    assert {it["backups"] for it in droplets} == {not is_dev}
    assert {it["monitoring"] for it in droplets} == {True}


def test_databases_are_as_required(applied: Estate) -> None:
    environment = applied.environment
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

    assert trusted == [("tag", f"restomarket-{applied.environment}-api")] * 2


def test_the_api_firewall_lets_in_what_is_required(applied: Estate) -> None:
    found = applied.rules("api")
    ssh = [it for it in found if it.get("port_range") == "22"]
    inside = RANGES[applied.environment]

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


def test_firewalls_go_by_tag_and_droplets_carry_it(applied: Estate) -> None:
    prefix = f"restomarket-{applied.environment}"
    walls = applied.cloud.find("digitalocean_firewall")
    droplets = applied.cloud.find("digitalocean_droplet")

    tags = {f"{prefix}-api": [f"{prefix}-api"], f"{prefix}-database": [f"{prefix}-database"]}
    assert {it["name"]: it["tags"] for it in walls} == tags
    assert not [it for it in walls if it["droplet_ids"]]
    assert {tuple(sorted(it["tags"])) for it in droplets} == {(prefix, f"{prefix}-api")}


def test_the_database_firewall_lets_in_postgresql_from_the_vpc_only(applied: Estate) -> None:
    inside = RANGES[applied.environment]

    assert applied.rules("database") == [
        {"protocol": "tcp", "port_range": "5432", "source_addresses": [inside]}
    ]


def test_the_load_balancer_is_as_required(applied: Estate) -> None:
    environment = applied.environment
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
    assert found == ({} if applied.environment == "dev" else wanted)
    assert {(it["window"], it["compare"]) for it in alerts} <= {("5m", "GreaterThan")}


def test_outputs_are_what_restoops_reads(applied: Estate) -> None:
    environment = applied.environment
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


@pytest.mark.parametrize("address", ["public", "private"])
def test_restoops_takes_the_hosts_as_they_are(
    applied: Estate, address: Literal["public", "private"]
) -> None:
    hosts = applied.terraform.outputs()["hosts"]
    settings = TerraformOutputs(directory=str(applied.terraform.folder), address=address)

    targets = terraform_targets(hosts, settings)

    assert {it.name: it.address for it in targets} == {
        key: host[address] for key, host in hosts.items()
    }


def test_the_url_is_what_clients_use(applied: Estate) -> None:
    outputs = applied.terraform.outputs()
    direct = f"http://{outputs['hosts']['a']['public']}:3001"

    balancers = [f"http://{it['ip']}" for it in applied.cloud.find("digitalocean_loadbalancer")]
    assert [outputs["url"]] == (balancers or [direct])


def test_connection_strings_demand_tls_and_are_not_shown(applied: Estate) -> None:
    outputs = applied.terraform.outputs()
    secret = {name: url for name, url in outputs.items() if url and name.endswith("_url")}
    urls = {name: url for name, url in secret.items() if name != "cache_url"}

    assert len(urls) == (2 if applied.environment == "dev" else 3)
    for url in urls.values():
        user = "doadmin" if url == outputs["database_admin_url"] else "app"
        assert url.startswith(f"postgresql://{user}:")
        assert url.endswith("?sslmode=require")
        assert "@private-restomarket-" in url
    assert outputs["cache_url"].startswith("rediss://default:")
    shown = applied.terraform.run("output").stdout
    assert not [url for url in secret.values() if url in shown]
