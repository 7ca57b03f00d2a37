"""A droplet that is brought into the state that a run of the table begins in."""

import subprocess
from itertools import count

from tests.e2e.inside import Inside, assert_at_rest, look, wipe
from tests.e2e.table import BAKE_S, CHECK, KEEP, Which
from tests.lab.images import App
from tests.lab.operator import Operator
from tests.lab.releases import Releases


class Stage:
    """An operator, a droplet, and releases without end."""

    def __init__(
        self, operator: Operator, releases: Releases, proxy_images: tuple[str, str]
    ) -> None:
        self.operator = operator
        self._releases = releases
        self._proxy_images = proxy_images
        self._numbers = count(1)
        self._tags: dict[str, str] = {}
        self._has_secrets = False
        operator.settings["image"]["keep"] = KEEP
        (operator.folder / "template.env").write_text("SESSION_KEY=<key>\n")
        values = operator.folder / "staging.env"
        values.touch(0o600)
        values.write_text(f"SECRETS_FINGERPRINT_KEY={'0' * 44}\nSESSION_KEY=k-{'1' * 20}\n")

    def fresh(self) -> str:
        """Return the tag of a release that was never deployed."""
        pushed = self._releases.push(App(f"k{next(self._numbers)}"))
        self._tags[pushed.digest] = pushed.tag
        return pushed.tag

    def prepare(self, which: Which) -> tuple[list[str], str]:
        """Make the host one that the run can begin on; return the run's arguments and release."""
        self.operator.settings["swap"] = {
            "warm_s": 0 if which == "deploy that stops" else 600,
            "bake_s": BAKE_S if which == "deploy that is watched" else 0,
        }
        self._hand_over(which == "deploy with secrets")
        if which == "first deploy":
            wipe(self.operator.droplet)
        else:
            self._fill(which)
        if which == "deploy with new proxy":
            proxy = self.operator.settings["proxy"]
            proxy["image"] = next(i for i in self._proxy_images if i != proxy["image"])
        found = look(self.operator.droplet)
        match which:
            case "warm rollback":
                tag = found.other_tag
            case "cold rollback":
                tag = self._cold(found)
            case _:
                tag = self.fresh()
        kind = "rollback" if which in ("warm rollback", "cold rollback") else "deploy"
        return [kind, tag, "staging", "--yes", "--json"], tag

    def start(self, arguments: list[str]) -> subprocess.Popen[str]:
        """Start a command."""
        return self.operator.start(*arguments)

    def assert_right(self, which: Which, tag: str, old: str, other_states: set[str]) -> None:
        """Check that `tag` serves, the one before is where it should be, and nothing else is."""
        found = assert_at_rest(self.operator.droplet)
        assert (found.live_tag, found.slots[found.live].state) == (tag, "running")
        if which == "first deploy":
            assert set(found.slots) == {"blue"}
        else:
            assert found.other_tag == old
            assert found.slots[found.other].state in other_states
        status = self.operator.run("status", "staging", "--json")
        assert status.status == 0, status
        assert status.events[0]["faults"] == []
        assert status.events[0]["open_run"] is None
        assert status.events[0]["serving"]["release"]["tag"] == tag

    def _hand_over(self, wanted: bool) -> None:
        """Have every release on the host be given secrets, and be checked, or none."""
        if wanted == self._has_secrets:
            return
        settings = self.operator.settings
        if wanted:
            settings["secrets"] = {"template": "template.env", "file": "staging.env"}
            settings["smoke"] = {"checks": [{"name": CHECK, "path": "/"}]}
        else:
            del settings["secrets"], settings["smoke"]
        wipe(self.operator.droplet)
        self._has_secrets = wanted

    def _fill(self, which: Which) -> None:
        state = "exited" if which == "deploy that stops" else "running"
        for _ in range(KEEP + 1):
            found = look(self.operator.droplet)
            is_full = len(found.slots) == 2 and len(found.images) == KEEP
            if is_full and found.slots[found.other].state == state:
                return
            self.operator.deploy(self.fresh())
        raise AssertionError(f"not to be brought into the state before a {which}: {found}")

    def _cold(self, found: Inside) -> str:
        here = {self._tags[digest] for digest in found.images}
        return next(iter(here - {found.live_tag, found.other_tag}))
