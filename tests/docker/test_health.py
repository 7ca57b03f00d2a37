"""/health tells the truth about a real PostgreSQL and a real Redis; /live asks nobody."""

import time
from datetime import datetime

import pytest

from tests.docker import workspace
from tests.docker.api import Api, Client
from tests.docker.servers import Postgres, Redis, Server

pytestmark = pytest.mark.usefixtures("up")

UP, DOWN = "connected", "disconnected"
each_server = pytest.mark.parametrize(
    ("which", "services"),
    [
        pytest.param("postgres", (DOWN, UP), id="the database"),
        pytest.param("redis", (UP, DOWN), id="Redis"),
    ],
)


def test_health_has_what_an_operator_looks_for(api: Api) -> None:
    answer = api.await_services(UP, UP)

    told = answer.json
    assert (answer.status, told["status"]) == (200, "ok")
    assert answer.headers["x-release"] == told["release"]["sha"] == "abc1234"
    assert answer.headers["cache-control"] == "no-store"
    started = datetime.fromisoformat(told["release"]["started_at"])
    assert started < datetime.fromisoformat(told["timestamp"])
    assert told["uptime"] > 0
    assert set(told["memory"]) == {"rss", "heap_used", "heap_total", "external"}
    assert set(told["cpu"]) == {"user", "system"}
    assert all(service["response_time_ms"] > 0 for service in told["services"].values())


@each_server
def test_a_server_that_is_down_is_told_and_so_is_its_return(
    api: Api, which: str, services: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(which)
    api.await_services(UP, UP)

    server.stop()
    answer = api.await_services(*services)
    assert (answer.status, answer.json["status"]) == (503, "unavailable")
    assert api.ask("/live").status == 200

    server.start()
    assert api.await_services(UP, UP).status == 200


@each_server
def test_a_server_that_hangs_is_given_up_at_the_timeout(
    api: Api, which: str, services: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(which)
    api.await_services(UP, UP)

    server.freeze()
    answer = api.await_services(*services)
    name = "database" if which == "postgres" else "redis"
    hanging = answer.json["services"][name]
    assert (answer.status, hanging["reason"]) == (503, "timeout")
    assert hanging["response_time_ms"] >= 299

    server.thaw()
    assert api.await_services(UP, UP).status == 200


def test_a_server_that_is_slow_but_in_time_is_connected_and_its_time_is_told(
    postgres: Postgres, redis: Redis
) -> None:
    settings = {"HEALTH_TIMEOUT_MS": "20000", "HEALTH_CACHE_MS": "0"}
    with Api(postgres, redis, **settings) as api, Client(api.port) as client:
        api.await_services(UP, UP)
        postgres.freeze()
        client.send("/health")
        api.await_arrival()
        arrived_s = time.monotonic()
        for _ in range(20):
            assert api.ask("/live").status == 200  # nobody else waits for it
        slow_ms = (time.monotonic() - arrived_s) * 1000
        postgres.thaw()

        answer = client.receive()

    assert (answer.status, answer.services) == (200, (UP, UP))
    assert answer.json["services"]["database"]["response_time_ms"] > slow_ms


def test_the_api_starts_without_its_servers_and_finds_them_later(
    postgres: Postgres, redis: Redis
) -> None:
    postgres.stop()
    redis.stop()
    with Api(postgres, redis, HEALTH_CACHE_MS="50") as api:
        down = api.await_services(DOWN, DOWN)
        assert down.json["services"]["database"]["reason"] == "ECONNREFUSED"
        postgres.start()
        redis.start()
        assert api.await_services(UP, UP).status == 200


def test_probes_cannot_overload_a_server(postgres: Postgres, redis: Redis) -> None:
    with Api(postgres, redis, HEALTH_CACHE_MS="60000") as api:
        api.ask()  # may find Redis on its way: that answer stays for the whole test
        before = postgres.questions(), redis.questions()
        with Client(api.port) as client:
            statuses = {client.ask("/health").status for _ in range(500)}

        assert len(statuses) == 1
        assert (postgres.questions(), redis.questions()) == before


def test_nothing_secret_is_told_or_logged(postgres: Postgres, redis: Redis) -> None:
    with Api(postgres, redis, HEALTH_TIMEOUT_MS="300", HEALTH_CACHE_MS="0") as api:
        told = [api.await_services(UP, UP).text]
        postgres.stop()
        redis.stop()
        told += [api.await_services(DOWN, DOWN).text, api.log]

        for text in told:
            for secret in (postgres.password, redis.password, str(postgres.port), postgres.url):
                assert secret not in text


def test_a_wrong_password_is_told_by_its_code(postgres: Postgres, redis: Redis) -> None:
    wrong = postgres.url.replace(postgres.password, "wrong")
    with Api(postgres, redis, DATABASE_URL=wrong) as api:
        answer = api.await_services(DOWN, UP)

    assert answer.json["services"]["database"]["reason"] == "28P01"


def test_visits_are_counted_also_without_the_database(api: Api, postgres: Postgres) -> None:
    api.await_services(UP, UP)
    postgres.stop()

    with Client(api.port) as client:
        first = client.ask("/visits", "POST").json["visits"]
        assert client.ask("/visits", "POST").json["visits"] == first + 1
        assert client.ask("/visits").json["visits"] == first + 1


def test_the_workspaces_own_integration_tests_pass(postgres: Postgres, redis: Redis) -> None:
    workspace.built()
    addresses = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
    told = workspace.run("pnpm", "--filter", "api", "test:integration", env=addresses)

    assert "# fail 0" in told
    assert "# pass 3" in told
