"""A repository of Debian packages, signed and served as Docker's and DigitalOcean's are."""

from __future__ import annotations

import base64
import hashlib
import http.server
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.lab import network
from tests.lab.visitor import Visitor

KEY = "key.asc"
_RENAME = r"""
set -e
cd /tmp
dpkg-deb -R /var/cache/apt/archives/docker.io_*.deb it
sed -i -e 's/^Package: .*/Package: %(name)s/' -e 's/^Version: .*/Version: 1.0/' \
    -e '/^Conflicts:/d' it/DEBIAN/control
dpkg-deb -b -Zgzip -z1 it it.deb >/dev/null
base64 it.deb
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is nothing in itself, but may need others and bring a program."""

    name: str
    depends: str = ""
    program: str = ""
    ready: bytes = b""
    """The package as it is, where one was made already."""

    def build(self, folder: Path, pool: Path) -> Path:
        """Make the package and return its file."""
        control = f"Package: {self.name}\nVersion: 1.0\nArchitecture: amd64\nMaintainer: Lab\n"
        if self.depends:
            control += f"Depends: {self.depends}\n"
        root, file = folder / self.name, pool / f"{self.name}.deb"
        if self.ready:
            file.write_bytes(self.ready)
            return file
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN" / "control").write_text(f"{control}Description: of the lab\n")
        if self.program:
            program = root / self.program
            program.parent.mkdir(parents=True)
            program.write_text("#!/bin/sh\n")
            program.chmod(0o755)
        argv = ["dpkg-deb", "--build", "--root-owner-group", str(root), str(file)]
        subprocess.run(argv, check=True, capture_output=True)
        return file


def engine_called(name: str, visitor: Visitor) -> Package:
    """Return the distribution's engine as a package of another name."""
    status, told = visitor.run(_RENAME % {"name": name})
    assert status == 0, told[-500:]
    return Package(name, ready=base64.b64decode(told))


@dataclass(frozen=True, slots=True)
class Served:
    """Where a repository is, and what its key has to be."""

    url: str
    key_checksum: str

    @property
    def key(self) -> str:
        """Where its key is."""
        return f"{self.url}/{KEY}"


@contextmanager
def served(folder: Path, suites: Mapping[tuple[str, str], list[Package]]) -> Iterator[Served]:
    """Serve packages by suite and component to droplets while this lasts."""
    public = folder / "public"
    public.mkdir()
    _gpg(folder, "--passphrase=", "--quick-generate-key", "lab@example.com")
    _gpg(folder, "--armor", f"--output={public / KEY}", "--export")
    for (suite, component), packages in suites.items():
        _write_suite(folder, suite, component, packages)
    serve = partial(_Quiet, directory=str(public))
    with http.server.ThreadingHTTPServer((network.GATEWAY, 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        checksum = hashlib.sha256((public / KEY).read_bytes()).hexdigest()
        yield Served(f"http://{network.GATEWAY}:{server.server_port}", f"sha256:{checksum}")
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name it has
        return


def _write_suite(folder: Path, suite: str, component: str, packages: list[Package]) -> None:
    public = folder / "public"
    pool, lists = public / "pool", public / "dists" / suite
    index = lists / component / "binary-amd64" / "Packages"
    for path in (pool, index.parent):
        path.mkdir(parents=True, exist_ok=True)
    files = [package.build(folder, pool) for package in packages]
    index.write_text("\n".join(_entry(file, public) for file in files))
    listed = f" {_sha256(index)} {index.stat().st_size} {index.relative_to(lists)}\n"
    release = f"Suite: {suite}\nCodename: {suite}\nComponents: {component}\nArchitectures: amd64\n"
    (lists / "Release").write_text(
        f"{release}Date: Wed, 01 Jan 2025 00:00:00 UTC\nSHA256:\n{listed}"
    )
    _gpg(folder, f"--output={lists / 'InRelease'}", "--clearsign", str(lists / "Release"))


def _entry(file: Path, root: Path) -> str:
    control = subprocess.run(["dpkg-deb", "-f", file], check=True, capture_output=True, text=True)
    size, name = file.stat().st_size, file.relative_to(root)
    return f"{control.stdout}Filename: {name}\nSize: {size}\nSHA256: {_sha256(file)}\n"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _gpg(folder: Path, *words: str) -> None:
    home = folder / "gpg"
    home.mkdir(mode=0o700, exist_ok=True)
    argv = ["gpg", f"--homedir={home}", "--batch", "--pinentry-mode=loopback", *words]
    subprocess.run(argv, check=True, capture_output=True)
