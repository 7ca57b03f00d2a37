"""Several hosts to act on, and what has to be true of all of them."""

from __future__ import annotations

import threading

from restoops.flows.rollout import Rollout
from restoops.model import Release
from tests.flows.acting import Operator
from tests.flows.fake import FakeHost
from tests.lab.patience import eventually

SIZE = 4


def fleet(*releases: Release, rollout: Rollout | None = None) -> Operator:
    """An operator before hosts to which `releases` were deployed together."""
    hosts = [FakeHost(name=f"web-{number}") for number in range(1, SIZE + 1)]
    for release in releases:
        Operator(hosts[0], others=tuple(hosts[1:])).deploy_all(release)
    for host in hosts:
        host.effects.clear()
        host.calls.clear()
    return Operator(hosts[0], others=tuple(hosts[1:]), rollout=rollout or Rollout())


def serving(operator: Operator) -> list[Release | None]:
    return [host.serving for host in operator.hosts]


def assert_tidy(operator: Operator, release: Release) -> None:
    """Every host serves `release`, also after a restart, and nothing is left behind."""
    assert serving(operator) == [release] * SIZE
    for host in operator.hosts:
        assert (host.state().open_run, host.holder, host.cut) == (None, None, 0)
        assert host.live is host.on_file
        known = {record.run.release for record in host.history if record.made_live}
        assert {container.release for container in host.containers.values()} <= known


def again(operator: Operator) -> Operator:
    """The same hosts, another command."""
    # A killed process has no threads; here they go on until they are told.
    assert eventually(lambda: all(it.name != "background" for it in threading.enumerate()))
    for host in operator.hosts:
        host.reconnect()
        host.watch = lambda: None
    return Operator(operator.host, others=operator.others)
