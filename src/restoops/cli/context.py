"""What a command works with: settings, hosts, a renderer, and signals that are honoured."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from restoops.cli.output import Reporter, reporter
from restoops.errors import Interrupted, Refused, Unreachable, UsageError

if TYPE_CHECKING:
    from restoops.adapters.host import Host
    from restoops.adapters.registry import RegistryClient
    from restoops.config.load import Loaded
    from restoops.flows.interrupt import Interrupt
    from restoops.flows.session import Request
    from restoops.flows.swap import Swap
    from restoops.model import Digest, Login, Release, RunKind
    from restoops.report.events import Event, Tell

_STARTED = time.monotonic()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the operator said on the command line about a run."""

    environment: str
    dry_run: bool
    yes: bool
    as_json: bool
    wait_s: int
    timeout_s: float | None


def load_environment(name: str) -> Loaded:
    """Load the settings and hosts of an environment; see `config.load.load`."""
    # pydantic would look through all installed packages for plugins: 16 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from restoops.config.load import load
    from restoops.flows.connect import terraform_outputs

    return load(
        name,
        start=Path.cwd(),
        environ=os.environ,
        terraform_outputs=terraform_outputs,
    )


@contextlib.contextmanager
def opened(loaded: Loaded, interrupt: Interrupt | None = None) -> Iterator[Host]:
    """Connect to the host of an environment; the connection ends with the block.

    Raises:
        UsageError: the environment has several hosts.
    """
    if len(loaded.targets) > 1:
        raise UsageError(
            f"{loaded.environment} has {len(loaded.targets)} hosts; this version deploys to one",
            hint="Give each host an environment of its own until fleets are supported.",
        )
    from restoops.flows.background import in_background
    from restoops.flows.connect import connect, load_client

    load_client(loaded)
    connection = in_background(lambda: connect(loaded, loaded.targets[0]))
    # Docker's client takes 0.1 s to load, as long as it takes to connect and to get the lock.
    # Threads take turns often meanwhile, so that no answer of the host has to wait for it.
    sys.setswitchinterval(0.0005)
    in_background(lambda: import_module("restoops.adapters.docker"))
    from restoops.adapters.clock import SystemClock
    from restoops.adapters.host import Host
    from restoops.flows.open import host_settings

    settings = host_settings(loaded.settings)
    with contextlib.closing(Host(connection(interrupt), settings, SystemClock())) as host:
        yield host


@contextlib.contextmanager
def swapping(options: RunOptions, kind: RunKind, loaded: Loaded) -> Iterator[Swap]:
    """Open all that a deploy or rollback needs, with signals honoured between steps."""
    from restoops.flows.interrupt import Interrupt

    interrupt = Interrupt()
    with (
        reporting(as_json=options.as_json) as show,
        honouring(interrupt),
        opened(loaded, interrupt) as host,
    ):
        yield _swap(options, kind, loaded, host, unbroken(show.tell), interrupt)


def _swap(
    options: RunOptions,
    kind: RunKind,
    loaded: Loaded,
    host: Host,
    tell: Tell,
    interrupt: Interrupt,
) -> Swap:
    from restoops.adapters.clock import SystemClock
    from restoops.flows.open import health_settings, wishes
    from restoops.flows.session import Session
    from restoops.flows.steps import Executor
    from restoops.flows.swap import Swap

    executor = Executor(
        host=host,
        health=health_settings(loaded.settings),
        clock=SystemClock(),
        tell=tell,
        interrupt=interrupt,
        login=lambda: _login(loaded),
    )
    asked = wishes(loaded.settings, options.timeout_s)
    request = _request(options, kind, executor.clock.now())
    session = Session(executor, request, asked)
    return Swap(session, request, asked, lambda: time.monotonic() - _STARTED)


@contextlib.contextmanager
def reporting(*, as_json: bool) -> Iterator[Reporter]:
    """Print events as they come, and leave the terminal tidy."""
    show = reporter(as_json=as_json)
    try:
        yield show
    finally:
        show.close()


def unbroken(tell: Tell) -> Tell:
    """Go on when nobody can be told any more: a closed pipe or terminal must not stop a run."""

    def try_to_tell(event: Event) -> None:
        with contextlib.suppress(OSError):
            tell(event)

    return try_to_tell


@contextlib.contextmanager
def honouring(interrupt: Interrupt) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the run between two steps; a second one changes nothing."""
    before = {
        number: signal.signal(number, lambda *_: interrupt.ask())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def resolving(loaded: Loaded, tag: str) -> Callable[[Interrupt], Release]:
    """Ask the registry for the digest of `tag` in the background; call the result to have it."""
    from restoops.flows.background import in_background
    from restoops.model import Release

    def resolve() -> Release:
        with contextlib.closing(open_registry(loaded)) as registry:
            return Release(tag, registry.resolve(tag))

    return in_background(resolve)


def open_registry(loaded: Loaded, *, timeout_s: float = 10) -> RegistryClient:
    """Return a client for the application's registry, which has `timeout_s` for an answer."""
    from restoops.adapters.registry import RegistryClient
    from restoops.flows.open import image_name

    return RegistryClient(
        image_name(loaded.settings),
        _login(loaded),
        plain_http=loaded.settings.registry.plain_http,
        timeout_s=timeout_s,
    )


def in_registry(loaded: Loaded) -> Callable[[Digest], bool | None]:
    """Return a question to the registry: whether it has a digest; None when it cannot be asked."""

    def ask(digest: Digest) -> bool | None:
        try:
            with contextlib.closing(open_registry(loaded)) as registry:
                return registry.has(digest)
        except Unreachable:
            return None

    return ask


def configured_environments() -> tuple[str, ...]:
    """Return the environments of restoops.yaml; only `local` when there is no such file."""
    from restoops.config.load import environment_names

    names = environment_names(start=Path.cwd(), environ=os.environ)
    return tuple(name for name in names if name != "local") or names


def confirm(question: str, *, yes: bool) -> None:
    """Ask the operator, unless `--yes` has answered already.

    Raises:
        Refused: the answer was no, or there is nobody to ask.
        Interrupted: the answer was Ctrl-C.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("nobody is there to ask for confirmation", hint="Add `--yes`.")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        raise Interrupted("interrupted at the question; nothing was changed") from None
    finally:
        signal.signal(signal.SIGINT, before)
    if answer.strip().lower() not in ("y", "yes"):
        raise Refused("not confirmed; nothing was changed")


def tag_argument(text: str) -> str:
    """Return the tag that the operator means.

    Raises:
        UsageError: the text cannot be one.
    """
    from restoops.model import tag_of

    try:
        return tag_of(text)
    except ValueError as error:
        raise UsageError(
            str(error), hint="For example `sha-abc1234`, `main-abc1234`, or a Git SHA: `abc1234`."
        ) from error


def _login(loaded: Loaded) -> Login | None:
    from restoops.adapters.registry import find_login

    return find_login(loaded.settings.registry.host)


def _request(options: RunOptions, kind: RunKind, now: str) -> Request:
    from restoops.flows.session import Request

    return Request(
        id=f"{now[:19].replace(':', '').replace('-', '')}-{os.urandom(3).hex()}",
        kind=kind,
        environment=options.environment,
        who=os.environ.get("GITHUB_ACTOR") or _user(),
        origin=_origin(),
        purpose=" ".join(["restoops", *sys.argv[1:]]),
        started_at=now,
        dry_run=options.dry_run,
        wait_s=options.wait_s,
    )


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _origin() -> str:
    run = os.environ.get("GITHUB_RUN_ID")
    return f"GitHub Actions run {run}" if run else os.uname().nodename
