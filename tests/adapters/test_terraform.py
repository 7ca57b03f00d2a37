"""What terraform prints when it fails becomes an error that says what to do now."""

from pathlib import Path

import pytest

from restoops.adapters.terraform import Terraform, Watch, read_output
from restoops.adapters.terraform_faults import Module, explain, first_fault
from restoops.adapters.terraform_words import InitOptions, PlanOptions, apply_argv
from restoops.errors import (
    CommandFailed,
    Interrupted,
    Locked,
    NeedsAttention,
    Refused,
    RestoopsError,
    Unreachable,
    UsageError,
)

MODULE = Module("dev", Path("/x/terraform/environments/dev"), "terraform/environments/dev")
LOCK = """
Error: Error acquiring the state lock

Error message: operation error S3: PutObject, https response error
StatusCode: 412, RequestID: x, api error PreconditionFailed: At least one of
the pre-conditions you specified did not hold
Lock Info:
  ID:        0c2a5f7e-aaaa-bbbb-cccc-0123456789ab
  Path:      menu-dev-tfstate/dev/terraform.tfstate
  Operation: OperationTypeApply
  Who:       alice@laptop
  Version:   1.11.4
  Created:   2026-03-01 11:22:33.123456 +0000 UTC
  Info:

Terraform acquires a state lock to protect the state from being written
by multiple users at the same time.
"""


def box(text: str) -> str:
    """Return text as terraform frames it."""
    return "\n".join(["╷", *(f"│ {line}" for line in text.strip().splitlines()), "╵"])


@pytest.mark.parametrize("frame", [str, box])
def test_a_lock_is_told_with_its_holder(frame: type) -> None:
    error = explain(frame(LOCK), MODULE, 1)

    assert isinstance(error, Locked)
    assert error.message == (
        "the state of dev is locked by alice@laptop for apply since "
        "2026-03-01 11:22:33.123456 +0000 UTC"
    )
    assert "force-unlock 0c2a5f7e-aaaa-bbbb-cccc-0123456789ab" in error.hint


@pytest.mark.parametrize(
    ("output", "kind", "said"),
    [
        ("Error: No valid credential sources found\n\nPlease see", Unreachable, "credentials"),
        (("Error: Failed to get existing workspaces: operation error S3: ListObjectsV2, https "
         "response error StatusCode: 403, api error InvalidAccessKeyId: no"), Unreachable,
         "refused the credentials"),
        (("Error: error loading state: operation error S3: GetObject, https response error "
         "StatusCode: 404, api error NoSuchBucket: The bucket"), Unreachable, "is not there"),
        (("Error: Failed to load state: operation error S3: GetObject, exceeded maximum number of "
         "attempts, 5, https response error StatusCode: 0, request send failed, Get "
         '"https://x": dial tcp: lookup x: no such host'), Unreachable, "could not be reached"),
        (("Error: Error creating droplet: POST https://api.digitalocean.com/v2/droplets: 429 "
         "(request \"1\") Too many requests"), Unreachable, "limits our calls"),
        (("Error: Error retrieving VPC: GET https://api.digitalocean.com/v2/vpcs/1: 401 (request) "
         "Unable to authenticate you"), Unreachable, "refused our token"),
        ('Error: Backend initialization required, please run "terraform init"', UsageError,
         "is not set up"),
        ("Error: Module not installed\n\n  on main.tf line 3:\n   3: module \"x\" {", UsageError,
         "is not set up"),
        ("Error: Unsupported Terraform Core version\n\n  on versions.tf line 2:", UsageError,
         "does not suit"),
        (('Error: Missing Required Value\n\n  on backend.tf line 4:\n\nThe attribute "bucket" is '
         "required"), UsageError, "backend of dev is not configured"),
        ("Error: Saved plan is stale\n\nThe given plan", Refused, "changed after this plan"),
        (("Error: Instance cannot be destroyed\n\n  on p.tf line 7:\n\nResource terraform_data.db "
         "has\nlifecycle.prevent_destroy set"), Refused, "terraform_data.db must not be destroyed"),
        ("Error: Failed to save state\n\nError saving state: no", NeedsAttention,
         "could not be saved"),
        ("Error: Unsupported argument\n\n  on main.tf line 12, in resource \"x\" \"y\":",
         UsageError, "terraform/environments/dev/main.tf:12: Unsupported argument"),
        (('Error: No value for required variable\n\n  on variables.tf line 1:\n   1: variable "x" {'
          '\n\nThe root module input variable "x" is not set, and has no default value. Use a -var '
          "or\n-var-file command line argument"), UsageError,
         ('variables.tf:1: No value for required variable: The root module input variable "x" is '
          "not set, and has no default value.")),
        (('Error: Invalid value for variable\n\n  on main.tf line 12, in module "n":\n'
          "  12:   a = var.a\n    ├────────────────\n    │ var.a is 1\n\nGive a number\nfrom 2.\n\n"
          "This was checked by the validation rule at\n../n/variables.tf:4,3-13."), UsageError,
         "environments/dev/main.tf:12: Invalid value for variable: Give a number from 2."),
        (("Error: Resource precondition failed\n\n  on ../../modules/m/main.tf line 46, in "
          'resource "x" "y":\n  46:       condition     = false\n\nName emails.\n'), UsageError,
         "terraform/modules/m/main.tf:46: Resource precondition failed: Name emails."),
        (("Error: Missing expression\n\n  on terraform.tfvars line 3:\n   3: \n\nExpected the "
          "start of an expression."), UsageError,
         "dev/terraform.tfvars:3: Missing expression: Expected the start of an expression."),
        (("Error: Missing expression\n\n  on backend.hcl line 2:\n   2: \n\nExpected the start."),
         UsageError, "dev/backend.hcl:2: Missing expression: Expected the start."),
        (("Error: Unsupported state file format\n\nThe state file could not be parsed as JSON: "
          "syntax error at byte offset 1."), NeedsAttention, "the state of dev is damaged"),
        (("Error: Missing value\n\n  on a.auto.tfvars.json line 1:\n   1: {\n\nIt ends early."),
         UsageError, "dev/a.auto.tfvars.json:1: Missing value: It ends early."),
        (("Error: Error creating droplet: 422 size is not available in this region\n\n  with x.y,\n"
         "  on main.tf line 9, in resource"), CommandFailed, "main.tf:9: Error creating droplet"),
        ("panic: runtime error", CommandFailed, "panic: runtime error"),
        ("", CommandFailed, "it said nothing"),
    ],
)  # fmt: skip
def test_each_failure_is_its_own_kind_of_error(
    output: str, kind: type[RestoopsError], said: str
) -> None:
    error = explain(output, MODULE, 1)

    assert type(error) is kind
    assert said in error.message
    assert error.hint


@pytest.mark.parametrize("line", [401, 429])
@pytest.mark.parametrize(
    ("summary", "kind"),
    [
        ("Unsupported argument", UsageError),
        ("Error creating droplet: POST https://api: 422 no such size", CommandFailed),
    ],
)
def test_a_line_is_not_taken_for_an_answer_of_the_api(
    line: int, summary: str, kind: type[RestoopsError]
) -> None:
    place = f'on main.tf line {line}, in resource "x" "y":\n {line}: resource "x" "y" {{'

    error = explain(f"Error: {summary}\n\n  with x.y,\n  {place}\n\nNo.", MODULE, 1)

    assert type(error) is kind
    assert f"main.tf:{line}: {summary}" in error.message


def test_a_backend_file_that_cannot_be_read_is_written_anew() -> None:
    error = explain("Error: Missing expression\n\n  on backend.hcl line 2:\n   2: \n", MODULE, 1)

    assert "`restoops infra backend dev --region REGION`" in error.hint


@pytest.mark.parametrize("name", ["terraform.tfvars", "variables.tf"])
def test_a_fault_of_a_value_is_not_looked_for_in_the_code(name: str) -> None:
    error = explain(f"Error: Invalid value for input variable\n\n  on {name} line 1:", MODULE, 1)

    assert "validate" not in error.hint
    assert "terraform.tfvars" in error.hint


def test_nothing_is_begun_after_somebody_asked_for_an_end(tmp_path: Path) -> None:
    module = Module("dev", tmp_path, "dev")
    told: list[str] = []
    terraform = Terraform(module, Watch(told.append, str, is_stopped=lambda: True))

    with pytest.raises(Interrupted, match="nothing was begun"):
        terraform.stream(["version"])

    assert told == []


def test_the_first_of_several_errors_is_told() -> None:
    fault = first_fault("some text\nError: One\n\n  on a.tf line 3:\n\nError: Two\n")

    assert (fault.summary, fault.where) == ("One", "a.tf:3")


def test_nothing_is_asked_and_a_lock_is_waited_for() -> None:
    plan = PlanOptions(wait_s=60, mode="destroy").argv(Path("/t/plan"))

    assert plan == ["plan", "-input=false", "-no-color", "-detailed-exitcode",
                    "-lock-timeout=60s", "-destroy", "-out=/t/plan"]  # fmt: skip
    assert "-lock-timeout=5s" in apply_argv(Path("p"), 5)
    assert apply_argv(Path("p"), 5)[-1] == "p"


def test_a_backend_is_given_by_its_file_only_when_there_is_one() -> None:
    assert "-backend-config=backend.hcl" in InitOptions().argv(Path("/x/backend.hcl"))
    assert not any("backend-config" in word for word in InitOptions(upgrade=True).argv(None))
    assert "-upgrade" in InitOptions(upgrade=True).argv(None)


def test_no_state_is_left_behind_unasked() -> None:
    assert not {"-reconfigure", "-migrate-state"} & set(InitOptions().argv(None))


def test_an_output_of_a_directory_that_is_not_there_is_a_fault_of_the_settings(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="infra is no directory") as caught:
        read_output(tmp_path / "infra", "hosts")

    assert "`terraform.directory`" in caught.value.hint


def test_an_output_that_the_state_does_not_have_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_output(tmp_path, "hosts")

    assert caught.value.message == f"there is no output `hosts` in the state of {tmp_path}"
    assert f"terraform -chdir={tmp_path} output" in caught.value.hint
    assert "`terraform apply`" in caught.value.hint


def test_a_state_that_cannot_be_read_is_told_by_its_first_error(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('terraform {\n  backend "s3" {}\n}\n')

    with pytest.raises(Unreachable) as caught:
        read_output(tmp_path, "hosts")

    said = 'Backend initialization required, please run "terraform init"'
    assert caught.value.message == f"terraform cannot read output `hosts` of {tmp_path}: {said}"
    assert "Reason: " in caught.value.details
    assert f"terraform -chdir={tmp_path} init" in caught.value.hint
