"""The API ends in order on SIGTERM, and does not start with an environment that cannot be right."""

import http.client
from pathlib import Path

import pytest

from tests.docker.api import Api, Client
from tests.docker.servers import Postgres, Redis
from tests.lab.patience import eventually

pytestmark = pytest.mark.usefixtures("up")

UP = "connected"
LONG_MS = "60000"


def test_an_answer_under_way_is_finished_then_the_process_ends(
    postgres: Postgres, redis: Redis
) -> None:
    settings = {
        "HEALTH_TIMEOUT_MS": LONG_MS,
        "SHUTDOWN_TIMEOUT_MS": LONG_MS,
        "HEALTH_CACHE_MS": "0",
    }
    with Api(postgres, redis, **settings) as api, Client(api.port) as client:
        api.await_services(UP, UP)
        assert client.ask("/live").headers["connection"] == "keep-alive"
        postgres.freeze()
        client.send("/health")  # takes as long as the database is frozen
        api.await_arrival()
        api.terminate()
        assert eventually(lambda: is_closed(api.port))
        postgres.thaw()

        answer = client.receive()

        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert answer.services == (UP, UP)
        assert api.ended() == 0


def is_closed(port: int) -> bool:
    """Return whether nobody takes connections there."""
    try:
        Client(port).__exit__()
    except ConnectionRefusedError:
        return True
    return False


def test_an_idle_kept_alive_connection_does_not_keep_the_process(api: Api) -> None:
    with Client(api.port) as client:
        client.ask("/live")

        api.terminate()

        assert api.ended() == 0
        with pytest.raises((http.client.RemoteDisconnected, OSError)):
            client.ask("/live")


def test_what_takes_too_long_is_cut_off_and_told(postgres: Postgres, redis: Redis) -> None:
    settings = {"HEALTH_TIMEOUT_MS": LONG_MS, "HEALTH_CACHE_MS": "0", "SHUTDOWN_TIMEOUT_MS": "200"}
    with Api(postgres, redis, **settings) as api:
        api.await_services(UP, UP)
        postgres.freeze()
        with Client(api.port) as client:
            client.send("/health")
            api.await_arrival()
            api.terminate()
            with pytest.raises((http.client.RemoteDisconnected, OSError)):
                client.receive()
        assert api.ended() == 0
        assert "cut off 1 requests" in api.log


def test_addresses_may_be_in_files(postgres: Postgres, redis: Redis, tmp_path: Path) -> None:
    file = tmp_path / "database_url"
    file.write_text(f"{postgres.url}\n")
    with Api(postgres, redis, DATABASE_URL="", DATABASE_URL_FILE=str(file)) as api:
        assert api.await_services(UP, UP).status == 200


def test_an_environment_at_fault_is_told_whole_and_without_a_trace(
    postgres: Postgres, redis: Redis
) -> None:
    api = Api(postgres, redis, DATABASE_URL="mysql://app:hunter2@db", REDIS_URL="", PORT="http")
    try:
        assert api.ended() == 1
        assert api.log == (
            "error: the environment is not complete:\n"
            "  PORT has to be a whole number\n"
            "  DATABASE_URL has to be a URL that begins with postgres://\n"
            "  REDIS_URL is missing; give it, or a file with it as REDIS_URL_FILE\n"
        )
    finally:
        api.__exit__()


def test_a_port_that_is_taken_is_told_without_a_trace(
    api: Api, postgres: Postgres, redis: Redis
) -> None:
    second = Api(postgres, redis, PORT=str(api.port))
    try:
        assert second.ended() == 1
        assert f"error: listen EADDRINUSE: address already in use :::{api.port}" in second.log
        assert "    at " not in second.log
    finally:
        second.__exit__()
