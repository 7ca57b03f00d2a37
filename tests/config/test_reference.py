"""What is written about the configuration agrees with the schema."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import restoops.config.reference as reference
import restoops.config.template as template
from restoops.config.check import check
from restoops.config.described import keys
from restoops.config.public import SmokeCheck
from restoops.config.schema import Environment, Settings, TerraformOutputs, sections
from restoops.config.section import Section
from restoops.config.variables import variable
from restoops.config.yamltext import parse

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"
MODELS = [*sections().values(), Environment, TerraformOutputs, SmokeCheck]


def test_the_reference_in_docs_is_up_to_date() -> None:
    assert DOCS.read_text() == reference.render(), (
        "run: python -m restoops.config.reference > docs/configuration.md"
    )


def test_the_module_prints_the_reference() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "restoops.config.reference"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == reference.render()


@pytest.mark.parametrize("model", MODELS)
def test_every_key_is_described(model: type[Section]) -> None:
    for key in keys(model):
        assert key.meaning.endswith(".")
        assert key.kind


def test_every_setting_is_in_the_reference_with_its_variable() -> None:
    text = reference.render()
    for name, model in sections().items():
        for key in model.model_fields:
            assert f"`{variable(name, key)}`" in text


def test_the_template_sets_nothing_but_local() -> None:
    result = check(parse(template.render()).value, {}, "local")

    assert result.faults == ()
    assert result.settings == Settings()
    assert result.names == ("local",)


def test_the_template_with_every_comment_sign_removed_says_the_defaults() -> None:
    text = re.sub(r"^( *)#(?=[A-Za-z])", r"\1", template.render(), flags=re.MULTILINE)
    parsed = parse(text)
    result = check(parsed.value, {}, "local")

    assert (parsed.faults, result.faults) == ((), ())
    assert result.settings == Settings()
    assert result.names == ("local", "dev", "staging", "production")
    document = parsed.value
    assert isinstance(document, dict)
    for name, model in sections().items():
        assert list(document[name]) == list(model.model_fields)


def test_the_template_fits_a_terminal() -> None:
    assert max(map(len, template.render().splitlines())) <= 100
