"""Servers for the reference API."""

from collections.abc import Iterator

import pytest

from tests.docker.api import Api
from tests.docker.servers import Postgres, Redis


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this run."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A Redis of this run."""
    with Redis() as server:
        yield server


@pytest.fixture
def up(postgres: Postgres, redis: Redis) -> Iterator[None]:
    """Both servers, as they should be, before the test and after it."""
    yield
    for server in (postgres, redis):
        server.thaw()
        server.start()


@pytest.fixture
def api(postgres: Postgres, redis: Redis) -> Iterator[Api]:
    """The API, impatient so that tests need not wait."""
    with Api(postgres, redis, HEALTH_TIMEOUT_MS="300", HEALTH_CACHE_MS="50") as running:
        yield running
