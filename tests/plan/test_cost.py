"""What a month costs: known prices are added up, unknown ones are said and never counted as 0."""

from decimal import Decimal

import pytest

from restoops.adapters.prices import read_prices
from restoops.plan.cost import Estimate, estimate, prices_of
from restoops.plan.infra_resources import resources_of
from tests.plan.plans import Json, resource, state_of

PRICES = prices_of(read_prices())


def cost(*resources: Json, modules: tuple[Json, ...] = ()) -> Estimate:
    return estimate(resources_of(state_of(*resources, modules=modules)), PRICES)


def of(kind: str, **values: object) -> Json:
    return resource(f"digitalocean_{kind}.x", values)


@pytest.mark.parametrize(
    ("entry", "monthly"),
    [
        pytest.param(of("droplet", size="s-1vcpu-1gb"), "6", id="droplet"),
        pytest.param(of("droplet", size="S-2VCPU-4GB", backups=True), "28.80",
                     id="weekly backups are a fifth"),
        pytest.param(of("droplet", size="s-1vcpu-1gb", backups=True,
                        backup_policy=[{"plan": "daily"}]), "7.80", id="daily ones more"),
        pytest.param(of("droplet", size="brand-new", price_monthly=77), "77",
                     id="a droplet that exists knows its own price"),
        pytest.param(of("database_cluster", engine="pg", size="db-s-2vcpu-4gb", node_count=3),
                     "180", id="database of three nodes"),
        pytest.param(of("database_cluster", engine="valkey", size="db-s-1vcpu-1gb", node_count=1),
                     "15", id="cache"),
        pytest.param(of("database_replica", size="db-s-1vcpu-2gb"), "30", id="read replica"),
        pytest.param(of("loadbalancer", size_unit=2), "24", id="load balancer of two nodes"),
        pytest.param(of("loadbalancer", size="lb-small"), "12", id="load balancer by size"),
        pytest.param(of("volume", size=25), "2.50", id="volume"),
        pytest.param(of("reserved_ip", droplet_id=None), "5", id="reserved IP in reserve"),
        pytest.param(of("reserved_ip", droplet_id=7), "0", id="reserved IP of a droplet"),
        pytest.param(of("reserved_ip"), "0", id="reserved IP of a droplet that is yet to be made"),
        pytest.param(of("vpc"), "0", id="what is free"),
    ],
)  # fmt: skip
def test_prices(entry: Json, monthly: str) -> None:
    found = cost(entry)

    assert found.monthly == Decimal(monthly)
    assert found.unknown == ()


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        pytest.param(of("droplet", size="brand-new"), "brand-new", id="size"),
        pytest.param(of("droplet"), "not known yet", id="size that is not known yet"),
        pytest.param(of("droplet", size="s-1vcpu-1gb", backups=True,
                        backup_policy=[{"plan": "hourly"}]), "hourly", id="plan of backups"),
        pytest.param(of("database_cluster", engine="mongodb", size="db-s-1vcpu-1gb",
                        node_count=1), "mongodb", id="engine"),
        pytest.param(of("database_cluster", engine="pg", size="db-s-1vcpu-1gb"), "not known yet",
                     id="number of nodes that is not known yet"),
        pytest.param(of("loadbalancer", size="lb-huge"), "not known yet", id="load balancer"),
        pytest.param(of("volume"), "not known yet", id="volume"),
        pytest.param(of("kubernetes_cluster"), "kubernetes_cluster", id="type"),
    ],
)  # fmt: skip
def test_what_has_no_price_is_said_and_not_counted_as_free(entry: Json, what: str) -> None:
    found = cost(entry)

    assert found.monthly == 0
    assert [what in line.what for line in found.unknown] == [True]


def test_resources_of_modules_count_and_an_assigned_address_is_free() -> None:
    modules = ({"resources": [of("droplet", size="s-1vcpu-1gb")],
                "child_modules": [{"resources": [of("volume", size=10)]}]},)  # fmt: skip
    addresses = [resource(f'digitalocean_reserved_ip.x["{key}"]', {"droplet_id": None})
                 for key in "ab"]  # fmt: skip

    found = cost(*addresses, of("reserved_ip_assignment"), modules=modules)

    assert found.monthly == Decimal("12.00")  # 6, 1, and 5 for the second address


def test_the_table_of_prices_is_whole() -> None:
    assert PRICES.currency == "USD"
    assert PRICES.droplet["s-2vcpu-4gb"] == 24
    assert all(price > 0 for price in (*PRICES.droplet.values(), *PRICES.database_node.values()))
    assert not PRICES.free & {"digitalocean_droplet", "digitalocean_database_cluster"}
