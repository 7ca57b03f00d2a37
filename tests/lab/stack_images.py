"""Images that a stack of the application stands on: Node, PostgreSQL, Redis, Adminer.

None can be pulled here. Each is made from this machine's Node or from Debian's packages, and starts
as the official one does. `serving_as` lends them the official names while a test needs them.
"""

import io
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from docker import DockerClient

from tests.lab import cache
from tests.lab.images import APT_SOURCES, CA_CERTIFICATES, HERE, import_root, is_there, run

STACK = HERE / "stack"
PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SERVICES = ("postgresql", "locales", "redis-server", "php-cli", "php-cgi", "php-pgsql", "adminer")
VOLUMES = {"postgres": "/var/lib/postgresql/data", "redis-server": "/data", "adminer": ""}
"""What each service is started with, and where its data are."""


def node(engine: DockerClient) -> str:
    """Return a minimal Debian with this machine's Node and npm: a base to build upon."""
    program = Path(run(["node", "-p", "process.execPath"]).strip())
    npm = Path(shutil.which("npm") or "npm").resolve().parent.parent
    hook = STACK / "customize-node"
    version = (npm / "package.json").read_bytes()
    tag = cache.digest_of(PATH, hook.read_bytes(), program.read_bytes(), version)
    environment = {"LAB_NODE": str(program), "LAB_NPM": str(npm)}
    return _debian(engine, f"{cache.LABEL}/node:{tag}", hook, environment)


def python(engine: DockerClient) -> str:
    """Return a minimal Debian with its Python: a base to build upon."""
    packages = ("ca-certificates", "python3", "python3-venv")
    tag = cache.digest_of(PATH, *packages)
    return _debian(engine, f"{cache.LABEL}/python:{tag}", Path("/bin/true"), {}, packages)


def services(engine: DockerClient) -> dict[str, str]:
    """Return the images of `postgres`, `redis-server` and `adminer`.

    The first call takes about a minute and needs Debian's mirror.
    """
    hook = STACK / "customize-services"
    tag = cache.digest_of(PATH, hook.read_bytes(), (STACK / "entrypoint").read_bytes(), *SERVICES)
    base = _debian(engine, f"{cache.LABEL}/services:{tag}", hook, {}, SERVICES)
    return {
        command: _variant(engine, base, f"{cache.LABEL}/{command}:{tag}", command)
        for command in VOLUMES
    }


@contextmanager
def serving_as(engine: DockerClient, names: Mapping[str, str]) -> Iterator[None]:
    """Let images serve under other names; a name that is taken stays what it is.

    One run at a time: another one would find a name taken, and then gone.
    """
    with cache.locked("official-names"):
        lent = {name: image for name, image in names.items() if not is_there(engine, name)}
        try:
            for name, image in lent.items():
                engine.images.get(image).tag(name)
            yield
        finally:
            for name in lent:
                engine.images.remove(name)


@contextmanager
def taken_for(engine: DockerClient, image: str | None, name: str) -> Iterator[None]:
    """Let an image, or one that is built meanwhile, have a name; who had it before has it after."""
    before = engine.images.get(name).id if is_there(engine, name) else None
    if image:
        engine.images.get(image).tag(name)
    try:
        yield
    finally:
        if is_there(engine, name):
            engine.images.remove(name, force=True)
        if before:
            engine.images.get(before).tag(name)


@contextmanager
def trusting(engine: DockerClient, node: str) -> Iterator[str]:
    """Have a base with Node that reaches npm's registry as this machine does."""
    registry = run(["npm", "config", "get", "registry"]).strip()
    trusted = Path(os.environ.get("NODE_EXTRA_CA_CERTS") or CA_CERTIFICATES)
    tag = f"{cache.LABEL}/node:trusting-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="restoops-lab-") as folder:
        shutil.copy(trusted, Path(folder) / "ca.pem")
        (Path(folder) / "Dockerfile").write_text(
            f"FROM {node}\nCOPY ca.pem /usr/lib/ca.pem\n"
            f"ENV NODE_EXTRA_CA_CERTS=/usr/lib/ca.pem NPM_CONFIG_REGISTRY={registry}\n"
        )
        engine.images.build(path=folder, tag=tag, rm=True, forcerm=True)
    try:
        yield tag
    finally:
        engine.images.remove(tag, force=True)


def _debian(
    engine: DockerClient,
    reference: str,
    hook: Path,
    environment: Mapping[str, str],
    packages: Sequence[str] = (),
) -> str:
    with cache.locked("stack"), tempfile.TemporaryDirectory(prefix="restoops-lab-") as scratch:
        if not is_there(engine, reference):
            tar = Path(scratch) / "root.tar"
            argv = [
                *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"),
                *((f"--include={','.join(packages)}",) if packages else ()),
                '--aptopt=Acquire::Languages "none"',
                f"--extract-hook={HERE / 'droplet' / 'no-docs'}",
                f"--customize-hook={hook}",
                *("bookworm", str(tar)),
                *(str(path) for path in APT_SOURCES if path.exists()),
            ]
            run(argv, extra_env=environment)
            import_root(engine, reference, tar, [PATH])
    return reference


def _variant(engine: DockerClient, base: str, reference: str, command: str) -> str:
    lines = [
        f"FROM {base}",
        'ENTRYPOINT ["entrypoint"]',
        f"CMD {json.dumps([command])}",
        *([f"VOLUME {VOLUMES[command]}"] if VOLUMES[command] else []),
        # Of PostgreSQL's official image as well: its SIGTERM waits for clients to leave.
        *(["STOPSIGNAL SIGINT"] if command == "postgres" else []),
    ]
    dockerfile = io.BytesIO("\n".join(lines).encode())
    engine.images.build(fileobj=dockerfile, tag=reference, rm=True, forcerm=True)
    return reference
