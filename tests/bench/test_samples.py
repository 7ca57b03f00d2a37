"""Raw data are read as they were written, and can be read by anybody."""

import json

import pydantic
import pytest

from tests.bench.samples import Limit, NotRun, Report, Samples
from tests.bench.test_figures import report

WHOLE = report(
    Samples("deploy", "deploy", "s", (1.25, 1.5), (Limit(1.2), Limit(2, than="other"))),
    Samples("failed", "failed", "count", (0, 1), (Limit(0, "sum"),), (1000, 1000)),
).failed(NotRun("2026-12-01 09:30", "fffffff", "it broke"))


def test_what_was_written_is_read_again_and_written_the_same() -> None:
    text = WHOLE.to_json()
    assert Report.from_json(text) == WHOLE
    assert Report.from_json(text).to_json() == text


def test_raw_data_hold_each_measurement_with_unit_and_limit() -> None:
    told = json.loads(WHOLE.to_json())
    first, second = told["measured"]["samples"]
    assert first["values"] == [1.25, 1.5]
    assert first["unit"] == "s"
    assert first["limits"] == [{"at_most": 1.2}, {"at_most": 2, "than": "other"}]
    assert second["out_of"] == [1000, 1000]
    assert told["measured"]["place"]["versions"] == {"Python": "3.11.7"}


def test_numbers_stand_on_one_line_so_that_a_change_can_be_read() -> None:
    assert '"values": [1.25, 1.5]' in WHOLE.to_json()


def test_raw_data_that_lack_a_part_are_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="title"):
        Report.from_json('{"benchmark": "deploy"}')
