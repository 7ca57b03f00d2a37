"""Whatever is written in the file, in variables or in Terraform: settings or a `UsageError`."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restoops.config.check import check
from restoops.config.forms import HOST, NAME
from restoops.config.hosts import terraform_targets
from restoops.config.load import load
from restoops.config.schema import Environment, Settings, TerraformOutputs, sections
from restoops.config.variables import variable
from restoops.config.yamltext import parse
from restoops.errors import UsageError

many = settings(max_examples=500)
T = TypeVar("T")

some = settings(many, max_examples=150)

anything_text = st.text(st.characters(), max_size=30)
nasty = st.sampled_from(
    ["", "-x", "--", "..", "/../", "$(id)", "`id`", ";id", "a\nb", "\0", "\x1b[2J", "a b", "~",
     "null", "1e999", "nan", "0x10", "*a", "&a", "!!x", "{", "%n", "\u202e",
     "\ud800", "\uff19", "a" * 300]
)  # fmt: skip
texts = anything_text | nasty
known_keys = st.sampled_from(
    sorted(
        {*Settings.model_fields, *Environment.model_fields, "environments"}
        | {key for model in sections().values() for key in model.model_fields}
    )
)
values = st.recursive(
    st.none() | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(known_keys | texts, inner, max_size=5)
    ),
    max_leaves=4,
)
documents = st.fixed_dictionaries(
    {},
    optional={
        **{
            name: st.dictionaries(
                st.sampled_from(list(model.model_fields)) | texts, values, max_size=3
            )
            for name, model in sections().items()
        },
        "environments": st.dictionaries(
            texts | st.just("dev"),
            values
            | st.fixed_dictionaries(
                {"hosts": st.lists(texts, max_size=3)}, optional={"health": values}
            ),
            max_size=3,
        ),
    },
)


def attempt(action: Callable[[], T]) -> T | None:
    """Give what `action` returns, or `None` for a `UsageError` that is fit for a terminal."""
    try:
        return action()
    except UsageError as error:
        message = str(error)
    assert message
    assert all(line.isprintable() for line in message.split("\n"))
    return None


variable_names = (
    st.sampled_from([variable(s, k) for s, m in sections().items() for k in m.model_fields])
    | st.text(string.ascii_letters + "_", max_size=20).map(lambda text: f"RESTOOPS_{text}")
    | texts.map(lambda text: f"RESTOOPS_CONTAINER__ENVIRONMENT__{text}")
)


@some
@given(documents | values, st.dictionaries(variable_names, texts, max_size=3))
def test_any_values_give_settings_or_faults(raw: object, environ: dict[str, str]) -> None:
    checked = check(raw, environ, "dev")

    assert checked.settings is not None or checked.faults
    for fault in checked.faults:
        assert str(fault).isprintable()


@many
@given(st.text(st.characters(), max_size=200) | st.text("a:-[]{}&*!|>'\"#%@\\ \n\t", max_size=60))
@example("a: &a\n  <<: *a")
@example("\ufeff")
@example("? ")
def test_any_text_is_read_or_refused_alike_by_both_loaders(text: str) -> None:
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        parsed = parse(text, loader=loader)
        assert all(str(fault).isprintable() for fault in parsed.faults)


@some
@given(documents)
def test_what_can_be_written_as_yaml_is_read_back_as_it_was(document: dict[str, Any]) -> None:
    text = yaml.safe_dump(document, allow_unicode=False)

    parsed = parse(text)

    assert parsed.faults or parsed.value == document


@some
@given(
    st.binary(max_size=60) | documents.map(lambda d: yaml.safe_dump(d).encode("utf-8", "replace")),
    st.dictionaries(variable_names, texts, max_size=3),
    texts,
)
def test_loading_any_file_gives_settings_or_a_usage_error(
    content: bytes, environ: dict[str, str], environment: str
) -> None:
    with TemporaryDirectory() as folder:
        Path(folder, "restoops.yaml").write_bytes(content)
        start = Path(folder)
        loaded = attempt(
            lambda: load(environment, start=start, environ=environ, terraform_outputs=None)
        )
    assert loaded is None or loaded.targets


@many
@given(texts)
def test_a_named_file_may_have_any_name(name: str) -> None:
    with TemporaryDirectory() as folder:
        environ, start = {"RESTOOPS_CONFIG": name}, Path(folder)
        attempt(lambda: load("local", start=start, environ=environ, terraform_outputs=None))


@many
@given(texts)
def test_an_accepted_host_is_neither_an_option_nor_a_piece_of_shell(text: str) -> None:
    raw = {"environments": {"dev": {"hosts": [text]}}}

    if not check(raw, {}, "dev").faults:
        assert set(text) <= {*string.ascii_letters, *string.digits, *"._:-"}
        assert not text.startswith("-")
        assert len(text) <= 253


@some
@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]", fullmatch=True))
def test_names_of_the_right_form_are_accepted(name: str) -> None:
    assert NAME.is_met_by(name)
    assert check({"app": {"name": name}}, {}, "local").faults == ()


@some
@given(st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str))
def test_every_address_is_a_host(address: str) -> None:
    assert HOST.is_met_by(address)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
droplets = st.dictionaries(
    texts, json_values | st.fixed_dictionaries({"public": texts | st.just("10.0.0.1")}), max_size=3
)


@some
@given(json_values | droplets)
def test_any_terraform_output_gives_targets_or_a_usage_error(outputs: object) -> None:
    targets = attempt(lambda: terraform_targets(outputs, TerraformOutputs(directory="tf")))

    assert targets != ()
    assert not any(target.address.startswith("-") for target in targets or ())


@many
@given(texts)
def test_variables_of_the_application_are_taken_as_they_are_or_refused(value: str) -> None:
    environ = {"RESTOOPS_CONTAINER__ENVIRONMENT__X": value}

    checked = check(None, environ, "local")

    if checked.settings:
        assert checked.settings.container.environment == {"X": value}
    else:
        assert not any(len(value) > 6 and value in str(fault) for fault in checked.faults)
