"""What is really on a droplet and who really answers, seen past restoops."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.lab.droplet import Droplet
from tests.lab.operator import APP
from tests.lab.releases import REPOSITORY

DIRECTORY = f"/var/lib/restoops/{APP}"
_LOOK = f"""\
docker ps -a --no-trunc --format 'c {{{{.Names}}}} {{{{.ID}}}} {{{{.State}}}} {{{{.Label "restoops.tag"}}}}'
docker images --digests --format 'i {{{{.Repository}}}}@{{{{.Digest}}}}' | grep -F '{REPOSITORY}@' || :
cd {DIRECTORY} 2>/dev/null || exit 0
[ ! -e proxy/live.map ] || sed 's/^live/l/' proxy/live.map
[ ! -e run.json ] || echo r
[ ! -e lock ] || flock -n lock true || echo h
"""  # noqa: E501  one question, one line
_WIPE = f"""\
docker ps -aq | xargs -r docker rm -f -v
docker network prune -f
docker images -aq | sort -u | xargs -r docker rmi -f
rm -rf {DIRECTORY}
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A container."""

    id: str
    state: str
    tag: str
    """Tag of the release; empty for a proxy."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What is on a droplet."""

    containers: Mapping[str, Found]
    """Those of the two slots by colour, all others by name."""
    images: frozenset[str]
    """Images of the application, by digest."""
    live: str
    """The slot that `live.map` sends new requests to, or `none`."""
    has_open_run: bool
    lock_is_held: bool

    @property
    def slots(self) -> dict[str, Found]:
        """The containers of the two slots."""
        return {
            name: self.containers[name] for name in ("blue", "green") if name in self.containers
        }

    @property
    def proxies(self) -> dict[str, Found]:
        """All other containers: one proxy when the host is at rest."""
        return {name: c for name, c in self.containers.items() if name not in self.slots}

    @property
    def other(self) -> str:
        """The slot that is not live."""
        return "green" if self.live == "blue" else "blue"

    @property
    def live_tag(self) -> str:
        """Tag of what runs in the live slot."""
        return self.slots[self.live].tag

    @property
    def other_tag(self) -> str:
        """Tag of what is in the other slot; empty when nothing is."""
        return self.slots[self.other].tag if self.other in self.slots else ""


def look(droplet: Droplet) -> Inside:
    """Return what is on the droplet now."""
    containers, images, live, flags = {}, set(), "none", set()
    for line in droplet.exec(["sh", "-c", _LOOK]).splitlines():
        kind, *words = line.split()
        match kind:
            case "c":
                name, id_, state, *tag = words
                containers[name.removeprefix(f"{APP}-")] = Found(id_, state, "".join(tag))
            case "i":
                images.add(words[0].partition("@")[2])
            case "l":
                live = words[0].partition("_")[0]  # `blue_green`: green is in reserve
            case _:
                flags.add(kind)
    return Inside(containers, frozenset(images), live, "r" in flags, "h" in flags)


def wipe(droplet: Droplet) -> None:
    """Make the droplet one that restoops never touched."""
    droplet.exec(["sh", "-c", _WIPE])


def assert_at_rest(droplet: Droplet, *, needs_proxy: bool = True) -> Inside:
    """Check that no run is open, no lock is held and one proxy runs; return what is there."""
    found = look(droplet)
    assert not found.has_open_run
    assert not found.lock_is_held
    states = [proxy.state for proxy in found.proxies.values()]
    assert states == ["running"] or (states == [] and not needs_proxy), found
    return found


def restart_proxy(droplet: Droplet) -> None:
    """Restart the container of the only proxy."""
    (proxy,) = assert_at_rest(droplet).proxies.values()
    droplet.exec(["docker", "restart", proxy.id])


def answering(url: str, timeout_s: float = 5) -> str:
    """Return the release that answers a client, or why none does."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=timeout_s)
    try:
        query = f"?{where.query}" if where.query else ""
        connection.request("GET", f"{where.path or '/'}{query}")
        answer = connection.getresponse()
        return answer.getheader("X-Release") or str(answer.status)
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
