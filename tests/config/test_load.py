"""Which file is read, what is laid over it, and how a file that cannot be used is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from restoops.config.hosts import THIS_MACHINE, Target
from restoops.config.load import Loaded, ReadOutputs, environment_names, find_file, load
from restoops.config.schema import Settings, TerraformOutputs
from restoops.errors import UsageError

GOOD = """
app: {name: menu}
health: {timeout_s: 20}
container:
  environment: {LOG_LEVEL: info, REGION: fra1}
environments:
  dev:
    hosts: [10.0.0.1, web-2]
    health: {timeout_s: 30}
    container:
      environment: {LOG_LEVEL: debug}
  production:
    terraform: {directory: infra/production, address: private}
"""


def write(folder: Path, text: str | bytes) -> Path:
    file = folder / "restoops.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def read(
    environment: str,
    start: Path,
    environ: Mapping[str, str] | None = None,
    *,
    outputs: ReadOutputs | None = None,
    config: Path | None = None,
) -> Loaded:
    return load(
        environment, start=start, environ=environ or {}, terraform_outputs=outputs, config=config
    )


def test_without_a_file_there_is_only_this_machine(tmp_path: Path) -> None:
    loaded = read("local", tmp_path)

    assert loaded == Loaded("local", "local", Settings(), (THIS_MACHINE,), None)
    with pytest.raises(UsageError, match="unknown environment `dev`") as caught:
        read("dev", tmp_path)
    assert caught.value.hint == "no restoops.yaml was found; the embedded default has: local."


def test_local_exists_beside_a_file_and_takes_its_sections(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    loaded = read("local", tmp_path)

    assert (loaded.connection, loaded.targets) == ("local", (THIS_MACHINE,))
    assert loaded.settings.app.name == "menu"


def test_local_can_be_defined_anew(tmp_path: Path) -> None:
    write(tmp_path, "environments: {local: {hosts: [lab]}}")

    assert read("local", tmp_path).targets == (Target("lab", "lab"),)


def test_variables_win_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    environ = {"RESTOOPS_CONTAINER__ENVIRONMENT__LOG_LEVEL": "warn", "RESTOOPS_IMAGE__KEEP": "7"}

    settings = read("dev", tmp_path, environ).settings

    assert settings.container.environment == {"LOG_LEVEL": "warn", "REGION": "fra1"}
    assert (settings.health.timeout_s, settings.image.keep) == (30, 7)
    assert read("dev", tmp_path).settings.container.environment["LOG_LEVEL"] == "debug"
    assert read("local", tmp_path).settings.health.timeout_s == 20


def test_null_in_a_variable_is_nothing_where_a_setting_may_be_nothing(tmp_path: Path) -> None:
    write(tmp_path, "public: {http_port: 8080}\n")
    environ = {"RESTOOPS_PUBLIC__HTTP_PORT": "null", "RESTOOPS_APP__NAME": "null"}
    settings = load("local", start=tmp_path, environ=environ, terraform_outputs=None).settings

    assert settings.public.http_port is None
    assert settings.app.name == "null"


def test_hosts_of_a_list_are_named_by_their_address(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    assert read("dev", tmp_path).targets == (
        Target("10.0.0.1", "10.0.0.1"),
        Target("web-2", "web-2"),
    )


def test_terraform_is_asked_in_the_root_module_beside_the_file(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    below = tmp_path / "apps"
    below.mkdir()
    asked: list[tuple[TerraformOutputs, Path]] = []

    def outputs(terraform: TerraformOutputs, root: Path) -> object:
        asked.append((terraform, root))
        return {"b": {"private": "10.1.0.2"}, "a": {"public": "1.1.1.1", "private": "10.1.0.1"}}

    loaded = read("production", below, outputs=outputs)

    assert loaded.targets == (Target("a", "10.1.0.1"), Target("b", "10.1.0.2"))
    assert [root for _, root in asked] == [tmp_path / "infra/production"]


def test_terraform_is_not_asked_when_anything_is_wrong(tmp_path: Path) -> None:
    write(tmp_path, GOOD + "helth: {}\n")

    def outputs(_terraform: TerraformOutputs, _root: Path) -> object:
        raise AssertionError("asked")

    with pytest.raises(UsageError, match="helth: unknown key, did you mean `health`"):
        read("production", tmp_path, outputs=outputs)


def test_no_environment_is_left_without_hosts(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    with pytest.raises(UsageError, match="come from Terraform"):
        read("production", tmp_path)


def test_the_file_is_found_from_any_folder_below_and_the_nearest_wins(tmp_path: Path) -> None:
    deep = tmp_path / "apps" / "api" / "src"
    deep.mkdir(parents=True)
    outer = write(tmp_path, GOOD)

    assert find_file(deep) == outer
    inner = write(tmp_path / "apps", "")
    assert find_file(deep) == inner
    assert read("local", deep).file == inner


def test_a_named_file_wins_and_has_to_exist(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "other.yaml").write_text("app: {name: other}")
    (tmp_path / "third.yaml").write_text("app: {name: third}")
    environ = {"RESTOOPS_CONFIG": "other.yaml"}

    assert read("local", tmp_path, environ).settings.app.name == "other"
    third = read("local", tmp_path, environ, config=Path("third.yaml"))
    assert third.settings.app.name == "third"
    with pytest.raises(UsageError, match=r"^gone\.yaml does not exist$"):
        read("local", tmp_path, {"RESTOOPS_CONFIG": "gone.yaml"})


def test_an_unknown_environment_is_told_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    with pytest.raises(UsageError) as caught:
        read("prodution", tmp_path)

    assert str(caught.value) == "unknown environment `prodution`, did you mean `production`?"
    assert caught.value.hint == "restoops.yaml has: local, dev, production."
    assert caught.value.status == 2


def test_names_for_completion_never_fail(tmp_path: Path) -> None:
    names = environment_names(start=tmp_path, environ={})
    assert names == ("local",)
    write(tmp_path, GOOD + "broken: 1\n")
    assert environment_names(start=tmp_path, environ={}) == ("local", "dev", "production")
    write(tmp_path, "a: [")
    assert environment_names(start=tmp_path, environ={}) == ("local",)
    environ = {"RESTOOPS_CONFIG": "gone"}
    assert environment_names(start=tmp_path, environ=environ) == ("local",)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"\x7fELF\xff\xfe", "is not UTF-8 text (byte 5)", id="binary"),
        pytest.param(b"a\0b", "  line 1: a control character", id="NUL"),
        pytest.param(b"#" * (1024 * 1024 + 1), "is larger than 1 MiB", id="huge"),
        pytest.param(b"just text", "  Input should be a mapping", id="a text, not a mapping"),
        pytest.param(b"- app", "  Input should be a mapping", id="a list, not a mapping"),
        pytest.param(b"app:\n  name: x\n bad", "  line 3, column ", id="syntax"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    write(tmp_path, content)

    with pytest.raises(UsageError) as caught:
        read("local", tmp_path)

    assert told in str(caught.value)
    assert "restoops.yaml" in str(caught.value)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    write(tmp_path, "\ufeffapp: {name: menu}".encode())

    assert read("local", tmp_path).settings.app.name == "menu"


def test_a_folder_or_broken_link_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "restoops.yaml").mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read("local", tmp_path)

    (tmp_path / "restoops.yaml").rmdir()
    (tmp_path / "restoops.yaml").symlink_to("gone")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read("local", tmp_path)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    # opens, but gives an error at the first byte, also to root
    with pytest.raises(UsageError, match=r"^/proc/self/mem cannot be read: Input/output error"):
        read("local", tmp_path, {"RESTOOPS_CONFIG": "/proc/self/mem"})


FAULTY = """\
# every kind of fault
health:
  timeout_s: 1
  timeout_s: 2
  interval_s: 6
heath: {}
timeout_s: 3
container: {environment: {PASSWORD: [hunter2]}}
environments:
  prod:
    hosts: []
    helth: {}
    health: {timeout_s: soon}
  Dev:
"""

GOLDEN = """\
restoops.yaml is not valid:
  health.timeout_s: given twice, in lines 3 and 4
  container.environment.PASSWORD: Input should be a valid string
  health.interval_s: Input should be less than or equal to 5
  heath: unknown key, did you mean `health`?
  timeout_s: unknown key
  environments.prod.hosts: List should have at least 1 item after validation, not 0
  environments.prod.helth: unknown key, did you mean `health`?
  environments.prod.health.timeout_s: Input should be a valid number, unable to parse string as a \
number
  environments.Dev: The name should be lower-case letters, digits and `-` between them, at most 40
  environments.Dev: needs `hosts` or `terraform`, or `connection: local`
  RESTOOPS_HELTH__PATH: unknown variable, did you mean `RESTOOPS_HEALTH__PATH`?
  RESTOOPS_IMAGE__KEEP: Input should be a valid integer, unable to parse string as an integer"""


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, FAULTY)

    with pytest.raises(UsageError) as caught:
        read("local", tmp_path, {"RESTOOPS_IMAGE__KEEP": "x", "RESTOOPS_HELTH__PATH": "/"})

    assert str(caught.value) == GOLDEN


def test_a_file_with_thousands_of_faults_gives_a_message_that_can_be_read(tmp_path: Path) -> None:
    write(tmp_path, "".join(f"k{number}: x\n" for number in range(4000)))

    with pytest.raises(UsageError) as caught:
        read("local", tmp_path)

    lines = str(caught.value).splitlines()
    assert len(lines) == 52
    assert lines[-1] == "  and 3950 more"


def test_faults_of_variables_alone_do_not_blame_the_file(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    with pytest.raises(UsageError) as caught:
        read("dev", tmp_path, {"RESTOOPS_HEALTH__TIMEOUT_S": "soon"})

    assert str(caught.value) == (
        "settings in RESTOOPS_… variables are not valid:\n"
        "  RESTOOPS_HEALTH__TIMEOUT_S: "
        "Input should be a valid number, unable to parse string as a number"
    )


def test_a_file_elsewhere_is_named_in_full(tmp_path: Path) -> None:
    below = tmp_path / "apps"
    below.mkdir()
    file = write(tmp_path, "helth: 1")

    with pytest.raises(UsageError) as caught:
        read("local", below)

    assert str(caught.value).startswith(f"{file} is not valid:\n")


def test_nothing_heavy_is_imported_with_the_package() -> None:
    program = "import restoops.config, sys; print({'yaml', 'pydantic'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
