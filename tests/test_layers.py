"""No import goes against the arrows of the architecture; deciding modules do nothing.

The source is read, not imported, so an import inside a function counts as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "restoops"

BOTTOM = {"model", "contents", "handover", "errors"}
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors", "handover"},
    "handover": {"model"},
    "contents": {"model"},
    "plan": BOTTOM,
    "masking": {"model", "plan"},
    "config": BOTTOM,
    "adapters": {"masking", *BOTTOM},
    "report": {"masking", "plan", *BOTTOM},
    "flows": {"plan", "config", "adapters", "masking", "report", *BOTTOM},
    "cli": {"flows", "plan", "config", "adapters", "masking", "report", *BOTTOM},
    "__main__": {"cli", "errors"},
}
"""Layer to the layers that it may import. A layer may always import itself."""

_OF_A_HOST = {
    "clock", "connection", "container", "disk", "docker", "files", "haproxy", "history",
    "host_settings", "probe", "proxy", "release_command", "routing", "runtime", "sampler",
    "secret_index", "secret_store", "shell",
}  # fmt: skip
ADAPTERS: dict[str, set[str]] = {
    "process": set(),
    "heartbeat": set(),
    "connection": {"heartbeat", "process"},
    "streamlocal": set(),
    "refusals": set(),
    "tcp": set(),
    "known_hosts": set(),
    "transport": {"known_hosts"},
    "channels": set(),
    "ssh": {"channels", "connection", "process", "refusals", "streamlocal", "tcp", "transport"},
    "shell": {"connection", "process"},
    "dial": {"connection", "exchange"},
    "container": set(),
    "docker": {"connection", "container", "dial"},
    "haproxy": set(),
    "runtime": {"connection", "haproxy"},
    "probe": {"connection", "exchange"},
    "exchange": {"connection"},
    "files": {"shell"},
    "archive": {"docker"},
    "secret_index": set(),
    "secret_store": {"archive", "clock", "container", "docker", "files", "secret_index", "shell"},
    "sampler": {"connection"},
    "disk": {"connection"},
    "history": set(),
    "proxy": {"clock", "container", "docker", "files", "haproxy", "runtime"},
    "host": _OF_A_HOST,
    "host_settings": {"container", "haproxy"},
    "routing": {"files", "haproxy", "proxy", "runtime"},
    "release_command": {"container", "docker"},
    "hooks": {"process"},
    "webhook": {"clock", "nearby"},
    "terraform": {"process", "terraform_faults", "terraform_words"},
    "terraform_words": set(),
    "terraform_faults": set(),
    "variables": set(),
    "git": {"process"},
    "merge": {"private", "process"},
    "tree": {"private"},
    "manifest": set(),
    "planfile": {"private"},
    "private": set(),
    "host_keys": {"private"},
    "prices": set(),
    "spaces": set(),
    "contest": {"spaces"},
    "ansible": {"process"},
    "scanners": {"process"},
    "patience": set(),
    "nearby": set(),
    "registry": {"nearby", "patience"},
    "manifests": {"registry"},
    "completeness": {"manifests", "registry"},
    "repository": {"completeness", "manifests", "registry"},
    "inspection": {"manifests", "registry"},
    "journal": set(),
    "ghcr": {"github", "manifests", "patience", "registry", "repository"},
    "env_text": set(),
    "source_file": {"env_text", "private"},
    "source_age": {"env_text", "private"},
    "source_command": {"env_text", "process"},
    "source_environment": set(),
    "github": {"nearby", "patience"},
    "deployments": {"github"},
    "github_secrets": {"github"},
    "public": {"nearby"},
    "clock": set(),
}
"""Adapter to the adapters that it may import. A new one is drawn in the architecture first."""

PURE = (
    "errors",
    "model",
    "contents",
    "handover",
    "plan",
    "config.schema",
    "config.section",
    "config.notify",
    "config.public",
    "config.rollout",
    "config.hosts",
)
IMPURE_MODULES = {
    "fcntl", "glob", "io", "os", "pathlib", "platform", "shutil", "sys", "tempfile", "termios",
    "asyncio", "multiprocessing", "select", "selectors", "signal", "subprocess", "threading",
    "http", "httpx", "requests", "socket", "ssl", "urllib3",
    "docker", "getpass", "importlib", "logging", "paramiko", "random", "secrets", "time", "yaml",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "datetime.now", "datetime.utcnow", "date.today"}
HEAVY = {
    "boto3", "cryptography", "docker", "jinja2", "paramiko", "httpx", "hcl2", "nacl", "pydantic",
    "pyrage",
}  # fmt: skip
RUNS_PROGRAMS = "adapters.process"

type_checking = {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: `restoops.model.Color`, `subprocess`."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the package; `name` is relative to it: `plan.bluegreen`, `cli`."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @property
    def is_pure(self) -> bool:
        return any(self.name == pure or self.name.startswith(f"{pure}.") for pure in PURE)

    def imports(self) -> Iterator[Import]:
        for node in ast.walk(self.tree):
            yield from self.imports_of(node)

    def imports_of(self, node: ast.AST) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            origin = self._origin(node)
            yield from (Import(f"{origin}.{alias.name}", node.lineno) for alias in node.names)

    def _origin(self, node: ast.ImportFrom) -> str:
        """Return the absolute name of what `from` names, which may be `..model`."""
        if not node.level:
            return node.module or ""
        parts = ["restoops", *self.name.split(".")]
        up = node.level - (self.path.name == "__init__.py")
        return ".".join([*parts[: len(parts) - up], *filter(None, [node.module])])


def read_package(root: Path) -> dict[str, Module]:
    modules = {}
    for path in sorted({*root.rglob("*.py")} - {root / "_version.py"}):  # that one is generated
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        modules[name] = Module(name, path, ast.parse(path.read_text(), str(path)))
    return modules


def find_faults(root: Path) -> list[str]:
    """Return what is wrong with the package at `root`, each as `file:line: what`."""
    modules = read_package(root)
    faults: list[str] = []
    for module in modules.values():
        found = dict.fromkeys(_module_faults(module))  # one line may import several names
        faults += [f"{module.path.name}:{line}: {what}" for line, what in found]
    return faults + list(_heavy_faults(modules))


def _module_faults(module: Module) -> Iterator[tuple[int, str]]:
    for imported in module.imports():
        if fault := _arrow_fault(module, imported.name) or _purity_fault(module, imported.name):
            yield imported.line, fault
    if module.is_pure:
        yield from _impure_calls(module)
    if module.layer and module.layer not in LAYERS:
        yield 1, f"{module.name} is in no layer"
    if module.layer == "adapters" and "." in module.name and _adapter(module.name) not in ADAPTERS:
        yield 1, f"{module.name} is not drawn in the architecture"


def _adapter(name: str) -> str:
    return name.split(".")[1]


def _arrow_fault(module: Module, name: str) -> str:
    """Say what is wrong with `module` importing `name`, or nothing."""
    package, _, target = name.partition(".")
    layer = target.partition(".")[0]
    if package != "restoops" or layer not in LAYERS:
        return ""
    if layer != module.layer and layer not in LAYERS.get(module.layer, set()):
        return f"{module.name or 'the package'} may not import {layer}"
    if layer == module.layer == "adapters":
        return _adapter_fault(module, target)
    return ""


def _adapter_fault(module: Module, target: str) -> str:
    if "." not in module.name or "." not in target:
        return f"{module.name} may not import adapters as a whole"
    own, other = _adapter(module.name), _adapter(target)
    if other == own or other in ADAPTERS.get(own, set()):
        return ""
    return f"{module.name} may not import adapter {other}"


def _purity_fault(module: Module, name: str) -> str:
    top = name.partition(".")[0]
    if module.is_pure and top in IMPURE_MODULES and not name.startswith("pathlib.Pure"):
        return f"{module.name} is pure and may not import {top}"
    if top in {"subprocess", "pty"} and module.name != RUNS_PROGRAMS:
        return f"only {RUNS_PROGRAMS} may import {top}"
    return ""


def _impure_calls(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).removeprefix("datetime.datetime").lstrip(".")
            for impure in IMPURE_CALLS:
                if called in {impure, f"datetime.{impure}"} or f"datetime.{called}" == impure:
                    yield node.lineno, f"{module.name} is pure and may not call {impure}()"


def _heavy_faults(modules: dict[str, Module]) -> Iterator[str]:
    """Follow what starting the CLI imports, and say by which way it reaches a heavy package."""
    ways = {m.name: m.name for m in modules.values() if m.layer in {"cli", "__main__"}}
    pending = list(ways)
    while pending:
        module = modules[pending.pop()]
        for imported in _at_import_time(module, module.tree):
            top = imported.name.partition(".")[0]
            if top in HEAVY:
                yield f"starting the CLI imports {top}: {ways[module.name]} -> {top}"
            for name in _executed_by(imported.name, modules):
                if name not in ways:
                    ways[name] = f"{ways[module.name]} -> {name}"
                    pending.append(name)


def _at_import_time(module: Module, node: ast.AST) -> Iterator[Import]:
    """Yield the imports that run when `module` does: not in functions, not for types only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) in type_checking:
            continue
        yield from module.imports_of(child)
        yield from _at_import_time(module, child)


def _executed_by(name: str, modules: dict[str, Module]) -> Iterator[str]:
    """Yield the modules that importing `name` runs: packages on the way, the module itself."""
    package, _, target = name.partition(".")
    parts = target.split(".") if package == "restoops" else []
    prefixes = (".".join(parts[:count]) for count in range(len(parts) + 1))
    yield from (prefix for prefix in prefixes if parts and prefix in modules)


def test_every_import_is_an_arrow_of_the_architecture() -> None:
    assert find_faults(SOURCE) == []


def test_the_package_is_read() -> None:
    assert {"", "errors", "config.schema", "cli"} <= read_package(SOURCE).keys()


@pytest.mark.parametrize(
    ("file", "source", "fault"),
    [
        pytest.param("plan/a.py", "from restoops.config import schema",
                     "a.py:1: plan.a may not import config", id="plan may not know settings"),
        pytest.param("plan/a.py", "def f():\n    import restoops.adapters.ssh",
                     "a.py:2: plan.a may not import adapters", id="also inside a function"),
        pytest.param("plan/a.py", "from ..flows import deploy",
                     "a.py:1: plan.a may not import flows", id="also relative"),
        pytest.param("adapters/ssh.py", "from .. import flows",
                     "ssh.py:1: adapters.ssh may not import flows", id="also a whole layer"),
        pytest.param("adapters/__init__.py", "from ..report import events",
                     "__init__.py:1: adapters may not import report",
                     id="also a package's own file"),
        pytest.param("model.py", "if TYPE_CHECKING:\n    from restoops.plan import steps",
                     "model.py:2: model may not import plan", id="also for types only"),
        pytest.param("errors.py", "from restoops import model",
                     "errors.py:1: errors may not import model", id="errors is the lowest"),
        pytest.param("report/a.py", "import restoops.flows.deploy",
                     "a.py:1: report.a may not import flows", id="no arrow back from report"),
        pytest.param("adapters/docker.py", "from .haproxy import render",
                     "docker.py:1: adapters.docker may not import adapter haproxy",
                     id="adapters know connections only"),
        pytest.param("adapters/registry.py", "from restoops.adapters import process",
                     "registry.py:1: adapters.registry may not import adapter process",
                     id="some adapters stand alone"),
        pytest.param("adapters/podman.py", "",
                     "podman.py:1: adapters.podman is not drawn in the architecture",
                     id="a new adapter is drawn first"),
        pytest.param("shortcuts.py", "",
                     "shortcuts.py:1: shortcuts is in no layer",
                     id="a new layer is drawn first"),
        pytest.param("plan/a.py", "from pathlib import Path",
                     "a.py:1: plan.a is pure and may not import pathlib", id="pure: no files"),
        pytest.param("config/hosts.py", "import os.path",
                     "hosts.py:1: config.hosts is pure and may not import os",
                     id="pure: no system"),
        pytest.param("plan/a.py", "now = datetime.now(UTC)",
                     "a.py:1: plan.a is pure and may not call datetime.now()", id="pure: no clock"),
        pytest.param("plan/a.py", "import datetime\ndatetime.datetime.now()",
                     "a.py:2: plan.a is pure and may not call datetime.now()",
                     id="pure: no clock by its long name"),
        pytest.param("model.py", "print(1)",
                     "model.py:1: model is pure and may not call print()", id="pure: no output"),
        pytest.param("adapters/docker.py", "from subprocess import run",
                     "docker.py:1: only adapters.process may import subprocess",
                     id="one place runs programs"),
        pytest.param("cli/app.py", "import httpx",
                     "starting the CLI imports httpx: cli.app -> httpx", id="no heavy import"),
    ],
)  # fmt: skip
def test_a_forbidden_import_is_found(tmp_path: Path, file: str, source: str, fault: str) -> None:
    _write(tmp_path, file, source)

    assert find_faults(tmp_path) == [fault]


def test_a_heavy_import_is_found_behind_others(tmp_path: Path) -> None:
    _write(tmp_path, "cli/app.py", "from restoops.config.load import load")
    _write(tmp_path, "config/__init__.py", "")
    _write(tmp_path, "config/load.py", "try:\n    from . import schema\nfinally:\n    pass")
    _write(tmp_path, "config/schema.py", "from pydantic import BaseModel")

    way = "cli.app -> config.load -> config.schema -> pydantic"
    assert find_faults(tmp_path) == [f"starting the CLI imports pydantic: {way}"]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        pytest.param("plan/a.py", "from . import steps\nfrom restoops.model import Color",
                     id="siblings and the layers below"),
        pytest.param("plan/a.py",
                     "from pathlib import PurePosixPath\nfrom datetime import datetime",
                     id="values of pure types"),
        pytest.param("cli/app.py", "def f():\n    import httpx",
                     id="heavy when a command needs it"),
        pytest.param("cli/app.py", "if TYPE_CHECKING:\n    import docker",
                     id="heavy for types only"),
        pytest.param("adapters/docker.py", "import docker\nfrom .connection import Stream",
                     id="an adapter, its library and its connection"),
        pytest.param("report/a.py", "from restoops.plan.steps import Step",
                     id="report names steps"),
        pytest.param("cli/a.py", "from restoops import __version__", id="the version"),
    ],
)  # fmt: skip
def test_a_drawn_arrow_is_no_fault(tmp_path: Path, file: str, source: str) -> None:
    _write(tmp_path, file, source)

    assert find_faults(tmp_path) == []


def _write(root: Path, file: str, source: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(source)
