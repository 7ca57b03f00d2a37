"""A repository by the OCI distribution protocol: with a referrers API, and Debian's without one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from restoops.adapters.inspection import Inspector
from restoops.adapters.journal import Journal, usual_place
from restoops.adapters.manifests import normal_time
from restoops.adapters.registry import RegistryClient
from restoops.adapters.repository import Repository
from restoops.contents import ManifestKind
from restoops.errors import NeedsAttention, UsageError
from restoops.flows.stores import plan_store
from restoops.model import Digest, ImageName, Login, Secret
from restoops.plan.fate import Retention
from restoops.plan.usage import Usage
from tests.lab import oci
from tests.lab.ghcr import REPOSITORY, Ghcr
from tests.lab.registry import Registry
from tests.plan.registries import NOW, RULES

DEBIANS = "menu/of-debians"


@pytest.fixture
def server() -> Iterator[Ghcr]:
    with Ghcr(is_github=False) as running:
        yield running


@pytest.fixture
def client(server: Ghcr) -> Iterator[RegistryClient]:
    login = Login("octocat", Secret(server.token))
    with closing(RegistryClient(ImageName(server.host, REPOSITORY), login)) as opened:
        yield opened


@pytest.fixture
def repository(client: RegistryClient) -> Repository:
    return Repository(client)


def test_all_pages_of_tags_are_read(server: Ghcr, repository: Repository) -> None:
    for number in range(25):
        server.push(oci.image("a"), f"v1.0.{number}")
    server.page = 10

    assert len(repository.tag_names()) == 25
    assert sum("tags/list" in path for _, path in server.requests) == 3 + 1  # and one for a login


def test_a_manifest_that_has_no_tag_is_asked_for_once(server: Ghcr, repository: Repository) -> None:
    shared = oci.image("shared", "linux/s390x")
    for number in range(20):
        tag = f"sha-{number:07x}"
        server.push(oci.index(tag, parts=[shared], built_by="ci"), tag)

    repository.look()
    repository.look_again((), ())

    asked = Counter(path for method, path in server.requests
                    if method == "GET" and "/manifests/" in path)  # fmt: skip
    assert len(asked) == 20 * (1 + 2 + 2) + 2, "of what is shared, one and its attestation"
    assert set(asked.values()) == {1}


def test_what_is_read_is_what_was_pushed(server: Ghcr, repository: Repository) -> None:
    index = oci.index("a", created="2026-01-02T03:04:05Z", built_by="ci")
    single = oci.image("b", "linux/arm64", "1970-01-01T00:00:00Z")
    sbom = oci.artifact("sbom", index)
    for bundle, tag in ((index, "main"), (single, "sha-1111111"), (sbom, "sbom")):
        server.push(bundle, tag)

    found = repository.look().manifests

    top, alone, about = (found[Digest(it.digest)] for it in (index, single, sbom))
    assert (top.kind, top.platforms) == (ManifestKind.INDEX, ("linux/amd64", "linux/arm64"))
    assert found[top.children[0]].created == "2026-01-02T03:04:05.000000+00:00"
    assert (alone.kind, alone.created, alone.platforms) == (
        ManifestKind.IMAGE, "", ("linux/arm64",),
    )  # fmt: skip
    assert (about.kind, about.subject) == (ManifestKind.OTHER, top.digest)
    size = sum(map(len, single.blobs.values())) + len(single.manifests[single.digest][1])
    assert alone.size_bytes == size


def test_only_what_is_to_be_deleted_is_asked_for_its_referrers(
    server: Ghcr, repository: Repository
) -> None:
    old, new = oci.image("old", created="2025-01-01T00:00:00Z"), oci.image("new")
    sbom = oci.artifact("sbom", old)
    about_sbom = oci.artifact("signature of the sbom", sbom)
    for bundle in (sbom, about_sbom, oci.artifact("sbom", new)):
        server.push(bundle)
    server.push(old, "sha-1111111")
    server.push(new, "sha-2222222")

    _, plan = plan_store(repository, Usage(), Retention(1, RULES, NOW))

    assert {str(it.digest) for it in plan.going} == {old.digest}
    assert {str(it.digest) for it in plan.parts} == {sbom.digest, about_sbom.digest}
    asked = {path.rpartition("/")[2] for _, path in server.requests if "/referrers/" in path}
    assert asked == {old.digest, sbom.digest, about_sbom.digest}


def test_a_token_of_the_registry_that_expires_is_replaced(
    server: Ghcr, repository: Repository
) -> None:
    digest = server.push(oci.image("a"), "main")
    repository.look()
    server.token = "another"

    assert repository.look().tags == {"main": Digest(digest)}


def test_an_image_says_who_built_it(server: Ghcr, client: RegistryClient) -> None:
    run = "https://github.com/menu/actions/runs/7"
    built = oci.index("a", built_by=run)
    labels = {"org.opencontainers.image.revision": "abc1234", "other": "x"}
    plain = oci.image("b", labels=labels | {"org.opencontainers.image.authors": "olga"})
    server.push(oci.signature(built), oci.about_tag(built, ".sig"))
    for bundle in (built, plain):
        server.push(bundle)

    by_run = Inspector(client).describe(Digest(built.digest))
    by_label = Inspector(client).describe(Digest(plain.digest))

    assert by_run.built_by == run
    assert by_run.attestations == (oci.PROVENANCE, oci.about_tag(built, ".sig"))
    assert [it.platform for it in by_run.platforms] == ["linux/amd64", "linux/arm64"]
    assert (by_label.built_by, by_label.labels["revision"]) == ("olga", "abc1234")
    assert "other" not in by_label.labels


def test_an_image_whose_attestations_were_deleted_is_described_without(
    server: Ghcr, client: RegistryClient
) -> None:
    built = oci.index("a", built_by="https://github.com/menu/actions/runs/7")
    server.push(built)
    for digest in list(built.manifests)[2:4]:
        del server.manifests[digest]

    found = Inspector(client).describe(Digest(built.digest))

    assert (found.built_by, found.attestations) == ("", ())
    assert [it.platform for it in found.platforms] == ["linux/amd64", "linux/arm64"]


@pytest.fixture
def debians(registry: Registry) -> Iterator[Repository]:
    login = Login(registry.username, Secret(registry.password))
    with closing(RegistryClient(ImageName(registry.local, DEBIANS), login)) as opened:
        yield Repository(opened)


@pytest.mark.lab
def test_debians_registry_keeps_what_is_kept_whole(registry: Registry, debians: Repository) -> None:
    old = oci.index("old", created="2025-01-01T00:00:00Z", built_by="ci")
    new = oci.index("new", created="2026-01-01T00:00:00Z", built_by="ci")
    for bundle, tag in ((old, "sha-1111111"), (new, "sha-2222222")):
        registry.put(bundle, DEBIANS, tag, f"main-{tag[4:]}")
        registry.put(oci.signature(bundle), DEBIANS, oci.about_tag(bundle, ".sig"))
        sbom = oci.artifact("sbom", bundle)
        registry.put(oci.referrers_index(sbom), DEBIANS, oci.about_tag(bundle))

    _, plan = plan_store(debians, Usage(), Retention(1, RULES, NOW))
    gone = [(fate.digest, fate.tags) for fate in plan.going]
    for digest, tags in gone + [(part.digest, part.tags) for part in plan.parts]:
        assert debians.is_as_shown(digest, tags)
        assert debians.delete(digest)

    assert [str(it.digest) for it in plan.going] == [old.digest]
    assert len(plan.parts) == 4 + 1 + 2, "platforms, attestations, signature, list, its index"
    left = set(debians.tag_names())
    assert left == {"sha-2222222", "main-2222222", oci.about_tag(new, ".sig"), oci.about_tag(new)}
    assert debians.faults(left) == {}
    assert not debians.delete(plan.going[0].digest), "it is gone: that is as good as done"


@pytest.mark.lab
def test_a_repository_that_is_not_there_is_empty(registry: Registry) -> None:
    login = Login(registry.username, Secret(registry.password))
    with closing(RegistryClient(ImageName(registry.local, "menu/nothing"), login)) as opened:
        assert Repository(opened).look().tags == {}


def test_the_log_is_on_the_disk_before_the_next_deletion(tmp_path: Path) -> None:
    place = tmp_path / "new" / "log"
    with closing(Journal(place)) as journal:
        journal.write({"digest": "a"})
        assert json.loads(place.read_text()) == {"v": 1, "digest": "a"}
    with closing(Journal(place)) as journal:
        journal.write({"digest": "b"})
    assert len(place.read_text().splitlines()) == 2
    with pytest.raises(UsageError, match="nothing was deleted"):
        Journal(place / "below a file")
    assert usual_place({"XDG_STATE_HOME": "/x"}) == Path("/x/restoops/images.jsonl")


def test_a_log_on_a_full_disk_says_what_it_lacks() -> None:
    with (
        closing(Journal(Path("/dev/full"))) as journal,
        pytest.raises(
            NeedsAttention, match=r"/dev/full cannot be written: No space.*\"digest\": \"a"
        ),
    ):
        journal.write({"digest": "a"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456+00:00"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000000+00:00"),
        ("1970-01-01T00:00:00Z", ""),
        ("0001-01-01T00:00:00Z", ""),
        ("yesterday", ""),
        (None, ""),
    ],
)
def test_times_compare_as_texts(text: str | None, told: str) -> None:
    assert normal_time(text) == told
