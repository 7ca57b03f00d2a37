"""Secrets on a real host: who can read them, how a release sees them, when they go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conditions import shell
from tests.e2e.inside import DIRECTORY, assert_at_rest
from tests.lab.droplet import Droplet
from tests.lab.images import App
from tests.lab.operator import APP, Operator
from tests.lab.releases import PushedRelease, Releases

pytestmark = pytest.mark.lab

KEY = "key-of-the-fingerprints-" + "0" * 20
NOBODY = 65534
TEMPLATE = "DATABASE_URL=<url>\n\nSESSION_KEY=<key>\n\n# optional\nNOTE=<note>\n"


class Keeper:
    """Somebody who keeps the secrets of a droplet."""

    def __init__(self, operator: Operator, releases: Releases) -> None:
        self.operator = operator
        self._releases = releases
        operator.settings["image"]["keep"] = 2
        operator.settings["secrets"] = {
            "template": "template.env",
            "file": "staging.env",
            "as_environment": ["NOTE"],
        }
        (operator.folder / "template.env").write_text(TEMPLATE)

    @property
    def droplet(self) -> Droplet:
        return self.operator.droplet

    def keep(self, **values: str) -> None:
        """Write the file that the values are in."""
        path = self.operator.folder / "staging.env"
        lines = {"SECRETS_FINGERPRINT_KEY": KEY, **values}
        path.touch(0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    def release(self, name: str, **manners: Any) -> PushedRelease:
        return self._releases.push(App(name, **{"user": "nobody", **manners}))

    def sets(self) -> list[str]:
        """The directories that there are."""
        return shell(self.droplet, f"ls -A {DIRECTORY}/secrets").split()

    def inspected(self, slot: str) -> dict[str, Any]:
        text = shell(self.droplet, f"docker inspect {APP}-{slot}")
        found: dict[str, Any] = json.loads(text)[0]
        return found

    def environment(self, slot: str) -> dict[str, str]:
        return dict(it.partition("=")[::2] for it in self.inspected(slot)["Config"]["Env"])

    def inside(self, slot: str, command: str) -> str:
        """Run a command of the droplet in the files of a container, as root."""
        number = self.inspected(slot)["State"]["Pid"]
        return shell(self.droplet, f"cd /proc/{number}/root/run/secrets && {command}")


@pytest.fixture(scope="module")
def keeper(operator: Operator, releases: Releases) -> Keeper:
    return Keeper(operator, releases)


def test_a_release_gets_files_that_only_it_can_read(keeper: Keeper) -> None:
    keeper.keep(DATABASE_URL="postgresql://first", SESSION_KEY="s1-value", NOTE="n1")

    done = keeper.operator.deploy(keeper.release("sec1").tag, "--json")

    live = assert_at_rest(keeper.droplet).live
    listed = keeper.inside(live, "stat -c '%n %u %a' *").splitlines()
    assert listed == [f"{name} {NOBODY} 400" for name in ("DATABASE_URL", "NOTE", "SESSION_KEY")]
    assert keeper.inside(live, "cat SESSION_KEY") == "s1-value"
    environment = keeper.environment(live)
    assert environment["SESSION_KEY_FILE"] == "/run/secrets/SESSION_KEY"
    assert (environment["NOTE"], "NOTE_FILE" in environment) == ("n1", False)
    assert "SESSION_KEY" not in environment
    told = done.stdout + done.stderr + json.dumps(keeper.inspected(live))
    told += shell(keeper.droplet, f"cat {DIRECTORY}/*.json*")
    assert "s1-value" not in told
    assert KEY not in told
    (mount,) = keeper.inspected(live)["Mounts"]
    assert (mount["Destination"], mount["RW"]) == ("/run/secrets", False)
    directory = f"{DIRECTORY}/secrets"
    assert shell(keeper.droplet, f"stat -c '%U %a' {directory}").split() == ["deploy", "700"]
    assert len(keeper.sets()) == 1
