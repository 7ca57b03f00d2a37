"""What the engine refuses, told by a real one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from restoops.adapters.connection import LocalConnection
from restoops.adapters.container import SOCKET
from restoops.adapters.docker import Engine
from restoops.errors import StepFailed

pytestmark = pytest.mark.lab


@pytest.fixture
def ours() -> Iterator[Engine]:
    with contextlib.closing(Engine("web-1", lambda: LocalConnection().dial(SOCKET))) as made:
        yield made


def test_an_application_may_have_pull_in_its_name(ours: Engine) -> None:
    with pytest.raises(
        StepFailed, match=r"cannot make network pullman \(10\.1\.2\.3/99\)"
    ) as caught:
        ours.ensure_network("pullman", "10.1.2.3/99", {})

    assert "pull of" not in caught.value.message
    assert "registry" not in caught.value.hint


def test_a_pull_that_fails_names_the_image_and_the_registry(ours: Engine) -> None:
    with pytest.raises(StepFailed, match=r"pull of 127\.0\.0\.1:9/pullman:v1 failed") as caught:
        ours.pull("127.0.0.1:9/pullman:v1", None, lambda _: None)

    assert "Does the host reach the registry" in caught.value.hint
