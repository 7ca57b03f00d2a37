"""GitHub's registry and packages API, over real HTTP: paging, limits, tokens, cut connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from restoops.adapters.ghcr import GithubRepository, Packages
from restoops.adapters.patience import Patience
from restoops.adapters.registry import RegistryClient
from restoops.errors import StepFailed, Unreachable
from restoops.model import Digest, ImageName, Login, Secret
from tests.flows.clock import FakeClock
from tests.lab import oci
from tests.lab.ghcr import REPOSITORY, Ghcr
from tests.lab.service import Fault

Open = Callable[..., GithubRepository]


@pytest.fixture
def github() -> Iterator[Ghcr]:
    with Ghcr() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connect(github: Ghcr, clock: FakeClock) -> Iterator[Open]:
    with ExitStack() as stack:

        def connect(token: str = "") -> GithubRepository:
            login = Login("octocat", Secret(token or github.token))
            image = ImageName(github.host, REPOSITORY)
            patience = Patience(clock.sleep, lambda _: None)
            client = RegistryClient(image, login, patience=patience)
            packages = Packages(github.api, image, login, patience)
            return stack.enter_context(closing(GithubRepository(client, packages)))

        yield connect


def test_every_version_is_seen_however_many_pages_there_are(github: Ghcr, connect: Open) -> None:
    pushed = {f"sha-{n:07x}": github.push(oci.image(f"v{n}"), f"sha-{n:07x}") for n in range(250)}
    github.page = 60

    contents = connect().look()

    assert {tag: str(digest) for tag, digest in contents.tags.items()} == pushed
    pages = [path for _, path in github.requests if "/versions?" in path]
    assert len(pages) == 3 + 1, "one more: the owner is no organisation"
    manifests = [path for method, path in github.requests if "/manifests/" in path]
    assert len(manifests) == len(set(manifests)) == 250, "one request for each manifest"


@pytest.mark.parametrize("owner", ["orgs", "users"])
def test_the_owner_may_be_a_person_or_an_organisation(
    github: Ghcr, connect: Open, owner: str
) -> None:
    github.owner = owner
    digest = github.push(oci.index("a", built_by="ci"), "main", "sha-1111111")
    repository = connect()
    contents = repository.look()

    assert set(contents.tags) == {"main", "sha-1111111"}
    assert repository.delete(Digest(digest))
    assert not repository.delete(Digest(digest)), "it is gone: that is as good as done"
    assert github.tags == {}


def test_untagged_versions_are_listed_with_when_they_were_pushed(
    github: Ghcr, connect: Open
) -> None:
    digest = Digest(github.push(oci.image("a"), at="2026-02-03T04:05:06Z"))

    contents = connect().look()

    assert digest in contents.manifests
    assert contents.pushes[digest].at.startswith("2026-02-03T04:05:06")


def test_a_tag_that_paging_has_skipped_is_not_overlooked(github: Ghcr, connect: Open) -> None:
    digest = github.push(oci.image("a"), "main")
    del github.versions[digest]

    assert {str(it) for it in connect().look().tags.values()} == {digest}


def test_a_version_is_as_shown_only_with_these_very_tags(github: Ghcr, connect: Open) -> None:
    digest = Digest(github.push(oci.image("a"), "sha-1111111", "main-1111111"))
    repository = connect()
    repository.look()
    shown = ("main-1111111", "sha-1111111")

    assert repository.is_as_shown(digest, shown)
    github.tags["v1.0.0"] = str(digest)
    assert not repository.is_as_shown(digest, shown)
    del github.tags["v1.0.0"], github.tags["sha-1111111"]
    assert not repository.is_as_shown(digest, shown)


STORM = [
    Fault(429, {"retry-after": "20"}),
    Fault(403, {"retry-after": "30"}),
    Fault.cut(),
    Fault(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"}),
    Fault(502, {}, "bad gateway"),
    Fault(403, {}),
]


def test_a_storm_of_limits_and_cut_connections_is_sat_out(
    github: Ghcr, connect: Open, clock: FakeClock
) -> None:
    digests = [Digest(github.push(oci.image(f"v{n}"), f"sha-{n:07x}")) for n in range(20)]
    repository = connect()
    github.faults += STORM
    contents = repository.look()
    assert len(contents.tags) == 20

    for digest in digests[:10]:
        github.faults += STORM
        assert repository.delete(digest)
    assert len(github.tags) == 10
    assert clock.passed > 10 * 60


def test_a_deletion_whose_answer_was_cut_off_is_found_done(github: Ghcr, connect: Open) -> None:
    digest = github.push(oci.image("a"), "sha-1111111")
    repository = connect()
    repository.look()
    github.loses_answers = 1

    assert not repository.delete(Digest(digest)), "the second time there was nothing left"
    assert digest not in github.manifests
    assert len(github.deleted()) == 2


def test_an_expired_token_is_told_without_showing_it(github: Ghcr, connect: Open) -> None:
    digest = github.push(oci.image("a"), "sha-1111111")
    repository = connect()
    repository.look()
    github.refuses_after = 0
    github.requests.append(("DELETE", "an earlier one"))

    with pytest.raises(Unreachable, match="wrong or has expired") as caught:
        repository.delete(Digest(digest))

    assert github.token not in f"{caught.value!r} {caught.value.hint} {caught.value.details}"
    assert "goes on with what is left" in caught.value.hint


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        pytest.param(Fault(403, {}, "Resource not accessible by integration"), Unreachable,
                     "may not do this: Resource not accessible by integration", id="scope"),
        pytest.param(Fault(400, {}, "You cannot delete the last tagged version of a package."),
                     StepFailed, "You cannot delete the last tagged version", id="the last one"),
        pytest.param(Fault(418, {}), Unreachable, "answered 418", id="something else"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_githubs_words(
    github: Ghcr, connect: Open, fault: Fault, error: type[Exception], told: str
) -> None:
    digest = github.push(oci.image("a"), "sha-1111111")
    repository = connect()
    repository.look()
    github.faults.append(fault)

    with pytest.raises(error, match=told):
        repository.delete(Digest(digest))
    assert digest in github.manifests


def test_a_package_that_is_not_there_is_told_with_the_scopes(github: Ghcr, connect: Open) -> None:
    github.owner = "nobody"

    with pytest.raises(Unreachable, match="has no package menu/menu-api for us") as caught:
        connect().look()

    assert "delete:packages" in caught.value.hint


def test_a_next_page_elsewhere_is_not_shown_the_token(github: Ghcr, connect: Open) -> None:
    github.push(oci.image("a"), "main")
    link = '<https://example.org/versions?page=2>; rel="next"'
    github.owner = "orgs"
    github.faults.append(Fault(200, {"link": link}))

    with pytest.raises(Unreachable, match="is not that of GitHub's API"):
        connect().look()


def test_the_registry_itself_does_not_delete(github: Ghcr) -> None:
    from restoops.adapters.repository import Repository

    digest = github.push(oci.image("a"), "main")
    login = Login("octocat", Secret(github.token))
    client = RegistryClient(ImageName(github.host, REPOSITORY), login)
    with closing(Repository(client)) as repository, pytest.raises(StepFailed) as caught:
        repository.delete(Digest(digest))

    assert "405" in caught.value.message
    assert "registry.kind: ghcr" in caught.value.hint


def test_what_is_kept_is_checked_down_to_its_layers(github: Ghcr, connect: Open) -> None:
    shared = oci.image("shared", "linux/s390x")
    whole = oci.index("whole", parts=[shared], built_by="ci")
    github.push(whole, "main")
    github.push(oci.image("other"), "sha-1111111")
    repository = connect()
    assert repository.faults(["main", "sha-1111111"]) == {}

    layer = list(shared.blobs)[-1]
    del github.blobs[layer]
    assert repository.faults(["main", "sha-1111111"]) == {"main": f"blob {layer}"}
    del github.manifests[shared.digest]
    assert repository.faults(["main"]) == {"main": f"manifest {shared.digest}"}
    assert repository.faults(["gone"]) == {"gone": "manifest gone"}
