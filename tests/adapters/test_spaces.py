"""The bucket for Terraform's state, on a real S3 server."""

from collections.abc import Iterator

import boto3
import pytest

from restoops.adapters.contest import compete
from restoops.adapters.spaces import Bucket, Place, SpacesKey, find_key
from restoops.errors import Refused, Unreachable
from restoops.model import Secret
from tests.infra.s3 import Behaviour, Server, serving

KEY = SpacesKey("test-key", Secret("test-secret"))
BUCKET = "menu-dev-tfstate"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def place(server: Server) -> Place:
    return Place(BUCKET, "us-east-1", server.url, has_path_style=True)


def made(server: Server) -> Bucket:
    bucket = Bucket(place(server), KEY)
    bucket.ensure_bucket()
    bucket.ensure_versioning()
    return bucket


def test_what_is_missing_is_made_once(server: Server) -> None:
    bucket = Bucket(place(server), KEY)
    assert not bucket.is_there()

    first = (bucket.ensure_bucket(), bucket.ensure_versioning(), bucket.ensure_lifecycle())
    second = (bucket.ensure_bucket(), bucket.ensure_versioning(), bucket.ensure_lifecycle())

    assert (first, second) == ((True,) * 3, (False,) * 3)
    found = boto3.client(
        "s3", endpoint_url=server.url, region_name="us-east-1",
        aws_access_key_id="test-key", aws_secret_access_key="test-secret",
    ).get_bucket_lifecycle_configuration(Bucket=BUCKET)  # fmt: skip
    (rule,) = found["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert (rule["Status"], "Expiration" in rule) == ("Enabled", False)


def test_rules_of_others_stay(server: Server) -> None:
    bucket = made(server)
    client = server.client()
    theirs = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "logs/"},
              "Expiration": {"Days": 7}}  # fmt: skip
    client.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": [theirs]}
    )

    assert bucket.ensure_lifecycle()

    rules = client.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert {rule["ID"] for rule in rules} == {"theirs", "restoops-old-versions"}
    assert bucket.has_lifecycle()


def test_two_writers_that_compete_never_both_win(server: Server) -> None:
    made(server)

    found = compete(lambda: Bucket(place(server), KEY), 5)

    assert found.is_fair, found
    assert found.winners == (1,) * 5
    assert server.client().list_object_versions(Bucket=BUCKET).get("Versions", []) == []


def test_a_server_that_ignores_conditions_is_found_out(server: Server) -> None:
    made(server)
    server.behaviour = Behaviour.IGNORES_CONDITIONS

    found = compete(lambda: Bucket(place(server), KEY), 3)

    assert not found.is_fair
    assert found.winners == (2,) * 3
    assert found.overwrites == 3


def test_a_server_that_takes_no_conditions_is_found_out(server: Server) -> None:
    made(server)
    server.behaviour = Behaviour.REFUSES_CONDITIONS

    found = compete(lambda: Bucket(place(server), KEY), 3)

    assert not found.is_fair
    assert "NotImplemented" in found.refusal


def test_a_key_that_is_refused_is_told_without_its_secret(server: Server) -> None:
    server.behaviour = Behaviour.REFUSES_KEYS

    with pytest.raises(Unreachable, match="refused our access key") as caught:
        Bucket(place(server), KEY).is_there()

    assert "test-secret" not in str(caught.value) + caught.value.hint


def test_a_server_that_limits_calls_is_told(server: Server) -> None:
    server.behaviour = Behaviour.LIMITS_CALLS

    with pytest.raises(Unreachable, match="limits our calls"):
        Bucket(place(server), KEY).ensure_bucket()


def test_a_bucket_of_somebody_else_is_not_taken(server: Server) -> None:
    server.behaviour = Behaviour.OWNED_BY_OTHERS

    with pytest.raises(Refused, match="belongs to somebody else") as caught:
        Bucket(place(server), KEY).ensure_bucket()

    assert "--bucket" in caught.value.hint


def test_a_server_that_is_not_there_is_told(server: Server) -> None:
    there = place(server)
    server.stop()

    with pytest.raises(Unreachable, match="cannot be reached"):
        Bucket(there, KEY).is_there()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"SPACES_ACCESS_KEY_ID": "a", "SPACES_SECRET_ACCESS_KEY": "b"}, "a"),
        ({"AWS_ACCESS_KEY_ID": "c", "AWS_SECRET_ACCESS_KEY": "d"}, "c"),
        ({"SPACES_ACCESS_KEY_ID": "a", "SPACES_SECRET_ACCESS_KEY": "b",
          "AWS_ACCESS_KEY_ID": "c", "AWS_SECRET_ACCESS_KEY": "d"}, "a"),
    ],
)  # fmt: skip
def test_the_key_comes_from_the_environment(environ: dict[str, str], expected: str) -> None:
    assert find_key(environ).id == expected


@pytest.mark.parametrize(
    "environ", [{}, {"SPACES_ACCESS_KEY_ID": "a"}, {"DIGITALOCEAN_TOKEN": "t"}]
)
def test_a_key_that_is_missing_is_told_with_where_it_is_made(environ: dict[str, str]) -> None:
    with pytest.raises(Unreachable, match="access key for Spaces is missing") as caught:
        find_key(environ)

    assert "SPACES_SECRET_ACCESS_KEY" in caught.value.hint
