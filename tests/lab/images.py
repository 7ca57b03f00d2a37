"""The images of the lab, made from what is on this machine: no registry can be reached.

Each is imported whole from a tar file: quicker than a build, and a failure leaves nothing.
The tag is a hash of all that went in; an image that is there already is not made again.
"""

import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient
from docker.errors import ImageNotFound

from tests.lab import cache

HERE = Path(__file__).parent
APT_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
CA_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ACCOUNTS = """\
root:x:0:0:root:/:/nologin
haproxy:x:99:99:haproxy:/var/lib/haproxy:/nologin
nobody:x:65534:65534:nobody:/:/nologin
"""
ROOT_PASSWORD = "open sesame"
"""Root's on a bare droplet, where nothing forbids to log in with it."""
GROUPS = "root:x:0:\nhaproxy:x:99:\nnogroup:x:65534:\n"


class BuildFailed(Exception):
    """A program that makes an image failed; the message carries its last lines."""


@dataclass(frozen=True, slots=True)
class App:
    """A release of the test app and its manners; testapp/testapp.c says what each means."""

    release: str
    mode: str = "healthy"
    term: str = "graceful"
    start_delay_s: float = 3
    health_404: bool = False
    user: str = ""
    """Who it runs as: a number, or a name of `ACCOUNTS`; root when there is none."""

    def environment(self) -> dict[str, str]:
        """Return the environment to bake into the image."""
        return {
            "RELEASE": self.release,
            "MODE": self.mode,
            "TERM": self.term,
            "START_DELAY_S": f"{self.start_delay_s:g}",
            "HEALTH_PATH_404": str(int(self.health_404)),
            "PORT": "3001",
        }


def testapp(engine: DockerClient, app: App) -> str:
    """Return the reference of the image of `app`, FROM scratch and made in milliseconds."""
    source = HERE / "testapp" / "testapp.c"
    changes = [
        *(f"ENV {name}={json.dumps(value)}" for name, value in app.environment().items()),
        f"LABEL org.opencontainers.image.revision={json.dumps(app.release)}",
        'ENTRYPOINT ["/testapp"]',
        "EXPOSE 3001",
        *([f"USER {app.user}"] if app.user else []),
    ]
    files = {"etc/passwd": ACCOUNTS.encode()} if app.user else {}
    tag = cache.digest_of(source.read_bytes(), *changes)
    with cache.locked("testapp"):
        if not is_there(engine, reference := f"{cache.LABEL}/testapp:{tag}"):
            import_root(engine, reference, _tar({"testapp": _compiled(source), **files}), changes)
    return reference


def haproxy(engine: DockerClient, variant: str = "a") -> str:
    """Return an image of this machine's HAProxy that is started as the official one is.

    The user is `haproxy` (uid 99) unless the container sets another. Images of two variants
    differ by a label only.
    """
    program = Path("/usr/sbin/haproxy")
    changes = [
        f"LABEL {cache.LABEL}.variant={json.dumps(variant)}",
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        "USER haproxy",
        'CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]',
    ]
    tag = cache.digest_of(program.read_bytes(), ACCOUNTS, GROUPS, *changes)
    with cache.locked("haproxy"):
        if not is_there(engine, reference := f"{cache.LABEL}/haproxy:{tag}"):
            import_root(engine, base := f"{reference}-base", _tar(_haproxy_files(program)), changes)
            # An import knows no STOPSIGNAL; a build does.
            dockerfile = io.BytesIO(f"FROM {base}\nSTOPSIGNAL SIGUSR1\n".encode())
            engine.images.build(fileobj=dockerfile, tag=reference, rm=True, forcerm=True)
    return reference


def droplet(engine: DockerClient) -> str:
    """Return the image of a droplet: Debian 12 with systemd, sshd and an engine of its own.

    The first call takes about a minute and needs Debian's mirror.
    """
    return _machine(engine, "droplet", "droplet")


def bare(engine: DockerClient) -> str:
    """Return the image of a droplet that nothing was done to: no engine, and root logs in.

    Packages that a set-up installs are in it, not installed.
    """
    return _machine(engine, "bare", "bare", "droplet")


def _machine(engine: DockerClient, name: str, *folders: str) -> str:
    """Return the image of a machine; it is made anew when a file in one of `folders` changes."""
    changes = [
        'ENTRYPOINT ["/sbin/droplet-init"]',
        "VOLUME /var/lib/docker",
        "ENV container=docker",
    ]
    inputs = sorted(p for folder in folders for p in (HERE / folder).rglob("*") if p.is_file())
    parts = [f"{path.relative_to(HERE)}\n{path.read_text()}" for path in inputs]
    certificates = CA_CERTIFICATES.read_bytes()
    tag = cache.digest_of(*parts, *changes, certificates, cache.public_key())
    with cache.locked(name):
        if not is_there(engine, reference := f"{cache.LABEL}/{name}:{tag}"):
            with tempfile.TemporaryDirectory(prefix="restoops-lab-") as scratch:
                root = _debian(HERE / name, Path(scratch) / "root.tar")
                import_root(engine, reference, root, changes)
    return reference


def is_there(engine: DockerClient, reference: str) -> bool:
    try:
        engine.images.get(reference)
    except ImageNotFound:
        return False
    return True


def import_root(
    engine: DockerClient, reference: str, root: Path | bytes, changes: list[str]
) -> None:
    repository, tag = reference.rsplit(":", 1)
    told = engine.api.import_image(
        src=str(root) if isinstance(root, Path) else root,
        repository=repository,
        tag=tag,
        changes=[f'LABEL {cache.LABEL}="1"', *changes],
    )
    # A failed import is told in the body of an answer with status 200.
    if not is_there(engine, reference):
        raise BuildFailed(f"import of {reference} failed: {told}")


def run(argv: list[str], extra_env: Mapping[str, str] | None = None) -> str:
    environment = {**os.environ, **(extra_env or {})}
    done = subprocess.run(
        argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment
    )
    if done.returncode:
        last = "\n".join(done.stderr.splitlines()[-20:])
        raise BuildFailed(f"{argv[0]} ended with status {done.returncode}:\n{last}")
    return done.stdout


def _tar(files: Mapping[str, bytes]) -> bytes:
    """Return a tar file of programs and text files, the same one for the same contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
        sticky = tarfile.TarInfo("tmp")
        sticky.type, sticky.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(sticky)
    return buffer.getvalue()


def _compiled(source: Path) -> bytes:
    with tempfile.TemporaryDirectory(prefix="restoops-lab-") as scratch:
        program = Path(scratch) / "program"
        run(["gcc", "-O2", "-static", "-pthread", "-o", str(program), str(source)])
        return program.read_bytes()


def _haproxy_files(program: Path) -> dict[str, bytes]:
    # The loader is looked for under the very path that `ldd` prints, and so are the libraries.
    libraries = re.findall(r"(/\S+) \(0x", run(["ldd", str(program)]))
    return {
        "usr/local/sbin/haproxy": program.read_bytes(),
        "etc/passwd": ACCOUNTS.encode(),
        "etc/group": GROUPS.encode(),
        "etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files dns\n",
        **{path.lstrip("/"): Path(path).read_bytes() for path in libraries},
    }


def _debian(recipe: Path, tar: Path) -> Path:
    """Make the tar file of a machine's root file system and return its path."""
    packages = (recipe / "packages").read_text().split()
    argv = [
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"),
        f"--include={','.join(packages)}",
        '--aptopt=Acquire::Languages "none"',
        f"--extract-hook={HERE / 'droplet' / 'no-docs'}",
        f"--customize-hook={recipe / 'customize'}",
        *(["--skip=cleanup/apt"] if (recipe / "fetched").exists() else []),
        *("bookworm", str(tar)),
        *(str(path) for path in APT_SOURCES if path.exists()),
    ]
    run(argv, extra_env={"LAB_PUBLIC_KEY": cache.public_key(), "LAB_PASSWORD": ROOT_PASSWORD})
    return tar
