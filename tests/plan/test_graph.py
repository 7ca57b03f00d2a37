"""Who may connect to what, from resources."""

from restoops.plan.graph import Diagram, Group, diagram_of
from restoops.plan.infra_resources import Resource, resources_of
from tests.plan.plans import Json, resource, state_of


def of(address: str, **values: object) -> Json:
    return resource(f"digitalocean_{address}", values)


def drawn(*resources: Json) -> Diagram:
    return diagram_of("dev", resources_of(state_of(*resources)))


def groups(diagram: Diagram) -> list[Group]:
    return [group for column in diagram.columns for group in column]


def rule(port: str, **sources: list[str]) -> Json:
    return {"protocol": "tcp", "port_range": port, **sources}


DROPLET = of('droplet.web["a"]', id="1", name="dev-a", size="s", tags=["api"],
             ipv4_address="203.0.113.4", ipv4_address_private="10.0.0.2")  # fmt: skip
WALL = of("firewall.api", name="dev-api", tags=["api"], inbound_rule=[
    rule("22", source_addresses=["198.51.100.0/24"]),
    rule("3001", source_load_balancer_uids=["lb"]),
])  # fmt: skip
BALANCER = of("loadbalancer.lb", name="dev-lb", ip="203.0.113.9", forwarding_rule=[{
    "entry_port": 443, "entry_protocol": "https", "target_port": 3001, "target_protocol": "http",
}])  # fmt: skip
DATABASE = of("database_cluster.db", id="c", name="dev-db", engine="pg", version="16", size="s",
              node_count=2)  # fmt: skip


def test_clients_reach_droplets_through_the_balancer_and_droplets_reach_data() -> None:
    diagram = drawn(DROPLET, WALL, BALANCER, DATABASE)

    assert {(it.source, it.target, it.label) for it in diagram.links} == {
        ("clients", "digitalocean_loadbalancer.lb", "443"),
        ("admins", "droplets-0", "22"),
        ("digitalocean_loadbalancer.lb", "droplets-0", ""),
        ("droplets-0", "digitalocean_database_cluster.db", ""),
    }


def test_rules_of_a_firewall_say_who_may_connect() -> None:
    (found,) = [it for it in groups(drawn(DROPLET, WALL, BALANCER)) if it.id == "droplets-0"]

    assert found.title == "firewall dev-api"
    assert found.rules == ("tcp 22 from 198.51.100.0/24", "tcp 3001 from the load balancer")


def test_what_nothing_protects_stands_out() -> None:
    found = {it.id: it for it in groups(drawn(DROPLET, DATABASE))}

    assert found["droplets-0"].is_open
    assert found["digitalocean_database_cluster.db"].is_open


def test_trusted_sources_of_a_database_are_named() -> None:
    wall = of("database_firewall.db", cluster_id="c", rule=[
        {"type": "tag", "value": "api"}, {"type": "droplet", "value": "1"},
        {"type": "ip_addr", "value": "192.0.2.1"}])  # fmt: skip

    found = {it.id: it for it in groups(drawn(DROPLET, DATABASE, wall))}

    store = found["digitalocean_database_cluster.db"]
    assert store.rules == ("tag api", "droplet dev-a", "address 192.0.2.1")
    assert not store.is_open


def test_what_belongs_to_a_droplet_is_in_its_box() -> None:
    diagram = drawn(
        DROPLET,
        of("reserved_ip.a", ip_address="203.0.113.50", droplet_id=1),
        of("volume.a", id="v", name="data", size=50),
        of("volume_attachment.a", volume_id="v", droplet_id=1),
    )

    assert groups(diagram)[0].boxes[0].lines == (
        "s", "203.0.113.4, 10.0.0.2", "reserved 203.0.113.50", "volume data, 50 GiB",
    )  # fmt: skip


def test_many_droplets_are_counted() -> None:
    many = [of(f'droplet.web["{n}"]', id=str(n), name=f"d{n}", tags=[]) for n in range(30)]

    boxes = groups(drawn(*many))[0].boxes

    assert len(boxes) == 13
    assert boxes[-1].title == "and 18 more"


def test_values_that_are_not_known_yet_are_no_fault() -> None:
    planned = tuple(
        Resource(f"digitalocean_{kind}.x", f"digitalocean_{kind}", {})
        for kind in ("droplet", "firewall", "loadbalancer", "database_cluster", "vpc", "volume",
                     "database_firewall", "reserved_ip", "volume_attachment")
    )  # fmt: skip

    assert len(diagram_of("dev", planned).columns) == 4


def test_a_volume_whose_droplet_is_not_known_yet_is_drawn_at_none() -> None:
    planned = drawn(
        of('droplet.web["a"]', name="dev-a", size="s"),
        of('droplet.web["b"]', name="dev-b", size="s"),
        of('volume.x["a-data"]', name="data", size=50),
        of('volume_attachment.x["a-data"]'),
    )

    assert [box.lines for box in groups(planned)[0].boxes] == [("s", "known after apply")] * 2


def test_a_trusted_source_is_named_once() -> None:
    walls = [of(f"database_firewall.{name}", rule=[{"type": "tag", "value": "api"}])
             for name in ("main", "replica")]  # fmt: skip

    (store,) = groups(drawn(of("database_cluster.db", engine="pg", size="s"), *walls))

    assert store.rules == ("tag api",)


def test_nothing_is_an_empty_picture() -> None:
    assert drawn().columns == ()
