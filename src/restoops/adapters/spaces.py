"""The bucket that holds Terraform's state, on Spaces or whatever else speaks S3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from restoops.errors import Refused, RestoopsError, Unreachable
from restoops.model import Secret

KEEP_DAYS = 90
"""Days for which old versions of the state are kept."""
_RULE_ID = "restoops-old-versions"
_GONE = {"404", "NoSuchBucket", "NoSuchKey", "NoSuchLifecycleConfiguration"}
_CONFLICT = {"412", "409", "PreconditionFailed", "ConditionalRequestConflict"}
_PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, and where it is.

    Attributes:
        endpoint: address of the service, with `https://`.
        region: of the service; also what requests are signed for.
        has_path_style: whether the bucket's name is in the path and not in the host name.
    """

    bucket: str
    region: str
    endpoint: str
    has_path_style: bool = False

    @property
    def constraint(self) -> dict[str, Any]:
        """What a new bucket is told about its region; Spaces knows it from the endpoint."""
        if not self.has_path_style or self.region == "us-east-1":
            return {}
        return {"CreateBucketConfiguration": {"LocationConstraint": self.region}}


@dataclass(frozen=True, slots=True)
class SpacesKey:
    """An access key of Spaces; not the API token."""

    id: str
    secret: Secret


def find_key(environ: Mapping[str, str]) -> SpacesKey:
    """Return the access key that the environment holds.

    Raises:
        Unreachable: there is none.
    """
    for prefix in ("SPACES", "AWS"):
        found = environ.get(f"{prefix}_ACCESS_KEY_ID")
        secret = environ.get(f"{prefix}_SECRET_ACCESS_KEY")
        if found and secret:
            return SpacesKey(found, Secret(secret))
    raise Unreachable(
        "the access key for Spaces is missing",
        hint="Make one in the control panel (Spaces Object Storage, Access Keys) and set "
        "SPACES_ACCESS_KEY_ID and SPACES_SECRET_ACCESS_KEY. The API token does not do.",
    )


class _S3(Protocol):
    """The calls of boto3's client that are used."""

    def head_bucket(self, *, Bucket: str) -> object: ...  # noqa: N803  boto3's names
    def create_bucket(self, **words: object) -> object: ...
    def get_bucket_versioning(self, *, Bucket: str) -> dict[str, Any]: ...  # noqa: N803
    def get_bucket_lifecycle_configuration(self, *, Bucket: str) -> dict[str, Any]: ...  # noqa: N803
    def put_bucket_versioning(self, **words: object) -> object: ...
    def put_bucket_lifecycle_configuration(self, **words: object) -> object: ...
    def put_object(self, **words: object) -> object: ...
    def delete_object(self, **words: object) -> object: ...
    def list_object_versions(self, **words: object) -> dict[str, Any]: ...


class Bucket:
    """One bucket; each `ensure_…` says whether it had to change something."""

    def __init__(self, place: Place, key: SpacesKey) -> None:
        self.place = place
        config = Config(
            connect_timeout=_PATIENCE_S,
            read_timeout=_PATIENCE_S,
            retries={"total_max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path" if place.has_path_style else "virtual"},
            # Spaces does not know the checksums that newer clients send unasked.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._s3 = cast(
            _S3,
            boto3.session.Session().client(
                "s3",
                region_name=place.region,
                endpoint_url=place.endpoint,
                aws_access_key_id=key.id,
                aws_secret_access_key=key.secret.reveal(),
                config=config,
            ),
        )

    def is_there(self) -> bool:
        """Return whether the bucket exists and is ours.

        Raises:
            Refused: it is somebody else's.
            Unreachable: the service does not answer or refuses our key.
        """
        try:
            self._do(lambda: self._s3.head_bucket(Bucket=self.place.bucket))
        except _Answered as answer:
            if answer.code in _GONE:
                return False
            raise self._refused(answer) from answer.__cause__
        return True

    def ensure_bucket(self) -> bool:
        """Make the bucket when it is not there."""
        if self.is_there():
            return False
        where = self.place.constraint
        self._strictly(lambda: self._s3.create_bucket(Bucket=self.place.bucket, **where))
        return True

    def ensure_versioning(self) -> bool:
        """Let the bucket keep old versions of the state."""
        if self.is_versioned():
            return False
        state = {"Status": "Enabled"}
        self._strictly(
            lambda: self._s3.put_bucket_versioning(
                Bucket=self.place.bucket, VersioningConfiguration=state
            )
        )
        return True

    def is_versioned(self) -> bool:
        """Return whether old versions are kept."""
        found = self._strictly(lambda: self._s3.get_bucket_versioning(Bucket=self.place.bucket))
        return bool(found.get("Status") == "Enabled")

    def ensure_lifecycle(self) -> bool:
        """Let old versions go after `KEEP_DAYS` days; rules of others stay."""
        rules = self._rules()
        if _rule() in map(_relevant, rules):
            return False
        others = [rule for rule in rules if rule.get("ID") != _RULE_ID]
        self._strictly(
            lambda: self._s3.put_bucket_lifecycle_configuration(
                Bucket=self.place.bucket, LifecycleConfiguration={"Rules": [*others, _rule()]}
            )
        )
        return True

    def has_lifecycle(self) -> bool:
        """Return whether old versions go after `KEEP_DAYS` days."""
        return _rule() in map(_relevant, self._rules())

    def _rules(self) -> list[dict[str, Any]]:
        bucket = self.place.bucket
        try:
            found = self._do(lambda: self._s3.get_bucket_lifecycle_configuration(Bucket=bucket))
        except _Answered as answer:
            if answer.code in _GONE:
                return []
            raise self._refused(answer) from answer.__cause__
        rules: list[dict[str, Any]] = found["Rules"]
        return rules

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write an object unless it is there, as Terraform does for a lock; say who was first.

        Raises:
            Refused: the service does not take such a request.
        """
        words = {"Bucket": self.place.bucket, "Key": key, "Body": content}
        try:
            self._do(lambda: self._s3.put_object(**words, IfNoneMatch="*"))
        except _Answered as answer:
            if answer.code in _CONFLICT:
                return False
            raise self._refused(answer) from answer.__cause__
        return True

    def remove_for_good(self, key: str) -> None:
        """Remove an object with all of its versions."""
        found = self._strictly(
            lambda: self._s3.list_object_versions(Bucket=self.place.bucket, Prefix=key)
        )
        for it in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
            self._remove_version(it["Key"], it["VersionId"])

    def _remove_version(self, key: str, version: str) -> None:
        words = {"Bucket": self.place.bucket, "Key": key, "VersionId": version}
        self._strictly(lambda: self._s3.delete_object(**words))

    def remove(self, key: str) -> None:
        """Remove an object; its old versions stay."""
        self._strictly(lambda: self._s3.delete_object(Bucket=self.place.bucket, Key=key))

    def _strictly(self, call: Callable[[], Any]) -> Any:
        try:
            return self._do(call)
        except _Answered as answer:
            raise self._refused(answer) from answer.__cause__

    def _do(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ClientError as error:
            details = error.response.get("Error", {})
            raise _Answered(str(details.get("Code")), str(details.get("Message"))) from error
        except (BotoCoreError, ValueError) as error:
            raise Unreachable(
                f"{self.place.endpoint} cannot be reached: {error}",
                hint="Is this machine online, and is the region right?",
            ) from error

    def _refused(self, answer: _Answered) -> RestoopsError:
        bucket, endpoint = self.place.bucket, self.place.endpoint
        if answer.code in ("BucketAlreadyExists", "OperationAborted"):
            return Refused(
                f"the bucket {bucket} belongs to somebody else; names are shared by all",
                hint="`--bucket NAME` names another.",
            )
        if answer.code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "403", "AccessDenied"):
            return Unreachable(
                f"{endpoint} refused our access key for the bucket {bucket}: {answer.code}",
                hint="Is the key for all buckets, and not for one only? Or the bucket is somebody "
                "else's: `--bucket NAME` names another.",
            )
        if answer.code in ("SlowDown", "429", "503", "TooManyRequests"):
            return Unreachable(f"{endpoint} limits our calls", hint="Repeat it in a minute.")
        return Refused(f"{endpoint} refused it for the bucket {bucket}: {answer}")


class _Answered(Exception):
    """The service answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def _rule() -> dict[str, Any]:
    return {
        "ID": _RULE_ID,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": KEEP_DAYS},
    }


def _relevant(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule as `_rule` writes it: services store the empty prefix in either of two ways."""
    kept = {key: rule[key] for key in _rule() if key in rule}
    return kept | {"Filter": {"Prefix": rule.get("Prefix", "")} | (rule.get("Filter") or {})}
