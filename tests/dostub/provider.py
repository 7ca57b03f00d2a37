"""Terraform's plugin protocol 6, driven by the real provider's schema and an overlay.

The overlay has what `terraform providers schema -json` leaves out: defaults, what forces a
replacement, checks of values. What is created, read, changed and deleted is in a `Cloud`.
"""

# ruff: noqa: N802  # the methods have the protocol's names

import gzip
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from tests.dostub.checking import check_block, deprecated_in
from tests.dostub.cloud import Cloud
from tests.dostub.planning import plan_block, replaced_by, resolve
from tests.dostub.rules import ApiError, plan_check
from tests.dostub.values import UNKNOWN, deprecation, error, pack, to_block, unpack, zero

ADDRESS = "registry.terraform.io/digitalocean/digitalocean"
TOKENS = ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")
API = "https://api.digitalocean.com/v2/"
FILES = Path(__file__).parent


def load(name: str) -> Any:
    """Return what one of the compressed files beside this one says."""
    return json.loads(gzip.decompress((FILES / name).read_bytes()))


def to_schema(schema: dict[str, Any]) -> Any:
    """Return the schema of one resource in the form of the protocol."""
    return pb.Schema(version=schema["version"], block=to_block(schema["block"]))


class Servicer(rpc.ProviderServicer):
    """Answers Terraform for one account."""

    def __init__(self, cloud: Cloud | None = None) -> None:
        # Within a test, Terraform's environment is not ours: there is no token to look for.
        self.has_own_environment = cloud is None
        self.cloud = cloud or Cloud(os.environ.get("DOSTUB_CLOUD", "dostub-cloud.json"))
        self.schema = load("schema.json.gz")["provider_schemas"][ADDRESS]
        overlay = load("overlay.json.gz")
        self.rules = overlay["resources"]
        self.data_rules = overlay["data_sources"]

    def _block(self, kind: str, schemas: str = "resource_schemas") -> dict[str, Any]:
        block: dict[str, Any] = self.schema[schemas][kind]["block"]
        return block

    def GetMetadata(self, request: Any, context: Any) -> Any:
        return pb.GetMetadata.Response()

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        resources = self.schema["resource_schemas"].items()
        sources = self.schema["data_source_schemas"].items()
        return pb.GetProviderSchema.Response(
            provider=to_schema(self.schema["provider"]),
            resource_schemas={kind: to_schema(schema) for kind, schema in resources},
            data_source_schemas={kind: to_schema(schema) for kind, schema in sources},
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        kind, conf = request.type_name, unpack(request.config)
        block = self._block(kind)
        faults = [error(*fault) for fault in check_block(block, self.rules[kind], conf)]
        warnings = [deprecation(path) for path in deprecated_in(block, conf)]
        return pb.ValidateResourceConfig.Response(diagnostics=[*faults, *warnings])

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        kind = request.type_name
        block = self._block(kind, "data_source_schemas")
        faults = check_block(block, self.data_rules[kind], unpack(request.config))
        return pb.ValidateDataResourceConfig.Response(
            diagnostics=[error(*fault) for fault in faults]
        )

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        given = (unpack(request.config) or {}).get("token")
        token = given or next((os.environ[name] for name in TOKENS if os.environ.get(name)), None)
        refused = self.has_own_environment and not token
        text = "401 Unable to authenticate you (no DigitalOcean token)"
        return pb.ConfigureProvider.Response(diagnostics=[error(text)] if refused else [])

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        block = self._block(request.type_name)
        known = {*block.get("attributes", {}), *block.get("block_types", {})}
        state = json.loads(request.raw_state.json)
        upgraded = {name: value for name, value in state.items() if name in known}
        return pb.UpgradeResourceState.Response(upgraded_state=pack(upgraded))

    def ReadResource(self, request: Any, context: Any) -> Any:
        state = unpack(request.current_state)
        found = self.cloud.read(request.type_name, state["id"])
        return pb.ReadResource.Response(new_state=pack(found))

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        kind, prior = request.type_name, unpack(request.prior_state)
        proposed = unpack(request.proposed_new_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(planned_state=pack(None))
        block, rules = self._block(kind), self.rules[kind]
        planned = plan_block(block, rules, proposed, prior)
        known = {name: None if value == UNKNOWN else value for name, value in planned.items()}
        if faults := [error(fault) for fault in plan_check(kind, known, prior)]:
            return pb.PlanResourceChange.Response(diagnostics=faults)
        replaced = replaced_by(block, rules, planned, prior) if prior is not None else ()
        steps = [pb.AttributePath.Step(attribute_name=name) for name in replaced]
        return pb.PlanResourceChange.Response(
            planned_state=pack(planned),
            requires_replace=[pb.AttributePath(steps=[step]) for step in steps],
            legacy_type_system=True,
        )

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:
        kind = request.type_name
        prior, planned = unpack(request.prior_state), unpack(request.planned_state)
        try:
            new = self._apply(kind, prior, planned)
        except ApiError as refusal:
            shown = error(f"POST {API}: {refusal}", summary=f"Error in {kind}: {refusal}")
            return pb.ApplyResourceChange.Response(
                new_state=pack(prior), diagnostics=[shown], legacy_type_system=True
            )
        return pb.ApplyResourceChange.Response(new_state=pack(new), legacy_type_system=True)

    def _apply(self, kind: str, prior: Any, planned: Any) -> dict[str, Any] | None:
        if planned is None:
            self.cloud.delete(kind, prior["id"])
            return None
        fill = partial(resolve, self._block(kind), planned)
        if prior is None:
            return self.cloud.create(kind, planned, fill)
        return self.cloud.update(kind, prior["id"], planned, fill)

    def ImportResourceState(self, request: Any, context: Any) -> Any:
        kind = request.type_name
        found = self.cloud.read(kind, request.id)
        imported = pb.ImportResourceState
        if found is None:
            text = f"Cannot import non-existent {kind} {request.id}"
            return imported.Response(diagnostics=[error(text)])
        resource = imported.ImportedResource(type_name=kind, state=pack(found))
        return imported.Response(imported_resources=[resource])

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        kind, conf = request.type_name, unpack(request.config)
        try:
            chosen = self._look_up(kind, conf)
        except ApiError as refusal:
            return pb.ReadDataSource.Response(diagnostics=[error(str(refusal))])
        block = self._block(kind, "data_source_schemas")
        state = {name: conf.get(name) for name in block.get("block_types", {})}
        for name, attribute in block.get("attributes", {}).items():
            value = conf.get(name)
            if value is None and attribute.get("computed"):
                value = chosen.get(name, zero(attribute["type"]))
            is_number = attribute["type"] == "number" and isinstance(value, str)
            state[name] = int(value) if is_number else value
        return pb.ReadDataSource.Response(state=pack(state))

    def _look_up(self, kind: str, conf: dict[str, Any]) -> dict[str, Any]:
        """Return the one object that a data source means.

        Raises:
            ApiError: there is none, or several.
        """
        if kind not in self.schema["resource_schemas"] or kind == "digitalocean_certificate":
            return {"id": conf.get("id") or conf.get("name") or kind}
        keys = ("id", "name", "cluster_id")
        wanted = {key: conf[key] for key in keys if conf.get(key) is not None}
        found = self.cloud.find(
            kind, **{key: str(value) if key == "id" else value for key, value in wanted.items()}
        )
        if len(found) != 1:
            raise ApiError(f"{len(found)} {kind} found for {wanted}")
        return found[0]

    def GetFunctions(self, request: Any, context: Any) -> Any:
        return pb.GetFunctions.Response()

    def StopProvider(self, request: Any, context: Any) -> Any:
        return pb.StopProvider.Response()
