"""The open run and the history: what comes back, and what is noticed when somebody edits it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restoops.adapters.history import (
    HISTORY_FILES,
    History,
    Packed,
    dump_run,
    parse_history,
    parse_run,
)
from restoops.errors import NeedsAttention
from restoops.model import Color, OpenRun, Record, Release, Timing
from tests.adapters.local_files import local_files
from tests.plan.states import V1, V2, digest, record, release, run
from tests.plan.strategies import RELEASES


def written(*records: Record, on: History | None = None) -> History:
    """A history after each of `records` was added to it."""
    history = on or History()
    for it in records:
        history = history.add(it)
    return history


def dumped(*records: Record) -> str:
    return written(*records).text


words = st.text(max_size=20)
open_runs = st.builds(
    OpenRun,
    id=words, kind=st.sampled_from(["deploy", "rollback"]),
    release=st.sampled_from(RELEASES), who=words, origin=words, started_at=words,
    old=st.none() | st.sampled_from(Color), new=st.sampled_from(Color), started_new=st.booleans(),
    going_back=st.booleans(), previous=st.none() | st.sampled_from(RELEASES),
)  # fmt: skip
records = st.builds(
    Record,
    run=open_runs, ended_at=words, error=words, cut=st.integers(0, 9),
    outcome=st.sampled_from(["done", "failed", "interrupted", "finished", "undone"]),
    log=st.lists(st.builds(Timing, words, words, st.floats(0, 1e6)), max_size=2).map(tuple),
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
keys = ["v", "run", "id", "release", "old", "new", "log", "previous", "tag", "digest", "outcome"]
quick = settings(max_examples=80)


@given(open_runs)
@quick
def test_an_open_run_comes_back_as_it_was(open_run: OpenRun) -> None:
    assert parse_run(dump_run(open_run)) == open_run


@given(st.lists(records, max_size=3).map(tuple))
@quick
def test_a_history_comes_back_as_it_was(history: tuple[Record, ...]) -> None:
    assert parse_history(dumped(*history)) == history


@given(st.lists(records, max_size=3).map(tuple))
@quick
def test_without_logs_all_else_comes_back_as_it_was(history: tuple[Record, ...]) -> None:
    bare = tuple(replace(it, log=(), output=()) for it in history)

    assert parse_history(dumped(*history), with_logs=False) == bare


def test_without_logs_the_runs_that_hosts_have_in_common_are_in_memory_once() -> None:
    one, other = (parse_history(dumped(record(V1)), with_logs=False) for _ in range(2))

    assert one[0].run is other[0].run


@given(st.text(), st.text())
@quick
def test_a_history_is_unpacked_as_it_was(text: str, head: str) -> None:
    assert Packed(History(text, head)).unpacked() == History(text, head)


@given(st.text(max_size=100) | st.dictionaries(st.sampled_from(keys), json_values).map(json.dumps))
@quick
def test_a_damaged_line_is_passed_over_and_the_others_count(damaged: str) -> None:
    whole = dumped(record(V1)), dumped(record(V2))

    found = parse_history(f"{whole[0]}{damaged}\n{whole[1]}")

    assert [it.run.release for it in found] == [V1, V2]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '{"v": 2}', '{"v": 1}', '{"v": 1, "run": null}',
     '{"v": 1, "release": {"tag": "v1", "digest": {"value": "sha256:no"}}, "new": "blue"}',
     dump_run(run(V1)).replace('"blue"', '"red"'), dump_run(run(V1)).replace('"who"', '"whom"'),
     dump_run(run(V1)).replace('"release": {', '"release": 1, "x": {'), "[" * 100_000],
)  # fmt: skip
def test_what_we_did_not_write_is_no_run(text: str) -> None:
    with pytest.raises(ValueError, match=r"not |no |nested|Expecting|another version"):
        parse_run(text)


def test_a_run_that_is_on_record_is_not_open() -> None:
    history, open_run = written(record(V1)), record(V1).run

    assert history.open_run(dump_run(open_run), "web-1: /srv/menu") is None
    assert History().open_run(dump_run(open_run), "web-1: /srv/menu") == open_run
    assert History().open_run("", "web-1: /srv/menu") is None


DAMAGED = "cd /srv/menu && flock -n lock mv run.json run.json.damaged"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param('{"v": 2, "id": "x"}', "another version", "That version", id="newer"),
        pytest.param('{"v": 1, "id": "2026', "is damaged", DAMAGED, id="cut short"),
        pytest.param("\0\0\0\0", "is damaged", DAMAGED, id="zeros after a crash"),
        pytest.param('{"v": 1}', "is damaged", DAMAGED, id="no run in it"),
    ],
)
def test_an_open_run_that_cannot_be_read_says_how_to_go_on(
    text: str, message: str, hint: str
) -> None:
    with pytest.raises(NeedsAttention, match=r"^web-1: /srv/menu/run\.json") as caught:
        History().open_run(text, "web-1: /srv/menu")

    assert message in caught.value.message
    assert hint in caught.value.hint
    assert ("flock" in caught.value.hint) is ("damaged" in caught.value.message)


def test_a_host_remembers_the_newest_two_hundred_runs() -> None:
    history = tuple(record(Release(f"v{n}", digest(f"v{n}"))) for n in range(250))

    assert parse_history(dumped(*history)) == history[50:]


# The chain

FOUR = written(*(record(release(f"v{n}")) for n in range(1, 5)))
LEGACY = re.sub(r'"before": "[0-9a-f]*", ', "", FOUR.text)
"""As written before the chain was kept."""

AT = "2026-01-02T03:04:05.000Z"


def unlike(number: int) -> str:
    entry = f"entry {number} (deploy of v{number} at {AT})"
    return f"history.jsonl was altered: {entry} does not fit the one before"


def not_last(number: int, *, tag: str = "") -> str:
    entry = f"entry {number} (deploy of {tag or f'v{number}'} at {AT})"
    return f"history.jsonl was altered: {entry} is not what was written last"


def edited(change: Callable[[list[str]], object], history: History = FOUR) -> History:
    """`history` after somebody changed the list of its lines."""
    lines = history.text.splitlines(keepends=True)
    change(lines)
    return replace(history, text="".join(lines))


def replaced(number: int, old: str, new: str) -> History:
    def change(lines: list[str]) -> None:
        assert old in lines[number - 1]
        lines[number - 1] = lines[number - 1].replace(old, new)

    return edited(change)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(History(), id="nothing was deployed yet"),
        pytest.param(written(record(V1)), id="one run"),
        pytest.param(FOUR, id="several runs"),
        pytest.param(written(*[record(V1)] * 250), id="runs that are not kept any more"),
        pytest.param(History(LEGACY), id="only lines from before the chain"),
        pytest.param(written(record(V1), record(V2), on=History(LEGACY)),
                     id="lines from before the chain, then a chain"),
        pytest.param(written(record(V1), on=History("{damaged\n" + LEGACY)),
                     id="a damaged line from before the chain"),
        pytest.param(replace(written(record(V1)), head=""), id="cut off before the first head"),
        pytest.param(replace(written(record(V1), on=History(LEGACY)), head=""),
                     id="cut off before the first head, after lines from before the chain"),
        pytest.param(replace(written(record(V1), on=FOUR), head=FOUR.head),
                     id="cut off between the two files"),
        pytest.param(written(record(V2), on=replace(written(record(V1), on=FOUR), head=FOUR.head)),
                     id="gone on with after it was cut off between the two files"),
        pytest.param(replace(FOUR, text=FOUR.text.removesuffix("\n")),
                     id="without its last line feed"),
    ],
)  # fmt: skip
def test_what_nobody_altered_is_not_complained_about(history: History) -> None:
    assert history.altered() == ""


@pytest.mark.parametrize(
    ("history", "told"),
    [
        pytest.param(replaced(2, "olga", "otto"), unlike(3), id="an entry was edited"),
        pytest.param(replaced(2, "olga", "olga "), unlike(3), id="by a space only"),
        pytest.param(replaced(1, "olga", "otto"), unlike(2), id="the first entry was edited"),
        pytest.param(replaced(4, "olga", "otto"), not_last(4), id="the last entry was edited"),
        pytest.param(edited(lambda lines: lines.pop(1)),
                     unlike(3).replace("entry 3", "entry 2"), id="an entry was removed"),
        pytest.param(edited(lambda lines: lines.pop(0)),
                     "history.jsonl was altered: what came before entry 1 "
                     f"(deploy of v2 at {AT}) is missing", id="the first entry was removed"),
        pytest.param(edited(lambda lines: lines.pop()), not_last(3),
                     id="the last entry was removed"),
        pytest.param(edited(list.clear),
                     "history.jsonl was altered: an empty file is not what was written last",
                     id="all entries were removed"),
        pytest.param(edited(lambda lines: lines.insert(2, lines[1])),
                     unlike(3).replace("of v3", "of v2"), id="an entry was put in"),
        pytest.param(edited(lambda lines: lines.insert(2, "\n")),
                     "history.jsonl was altered: entry 3 (damaged) does not fit the one before; "
                     "and 1 more", id="an empty line was put in"),
        pytest.param(edited(list.reverse),
                     "history.jsonl was altered: what came before entry 1 "
                     f"(deploy of v4 at {AT}) is missing; and 4 more", id="the order was changed"),
        pytest.param(replaced(3, '{"v": 1', "{v: 1"),
                     "history.jsonl was altered: entry 3 (damaged) does not fit the one before; "
                     "and 1 more", id="an entry was damaged"),
        pytest.param(edited(lambda lines: lines.append(LEGACY.splitlines()[0])),
                     unlike(5).replace("of v5", "of v1"),
                     id="an entry without a hash was put at the end"),
        pytest.param(replace(FOUR, text=LEGACY), not_last(4), id="all hashes were taken out"),
        pytest.param(replace(FOUR, head=""), not_last(4), id="the head was removed"),
        pytest.param(replace(FOUR, head="x"), not_last(4), id="the head was edited"),
        pytest.param(replaced(4, '"tag": "v4"', r'"tag": "\u001b[2Jv4"'),
                     not_last(4, tag="[2Jv4"), id="what a terminal obeys is not passed on"),
    ],
)  # fmt: skip
def test_what_somebody_altered_is_told(history: History, told: str) -> None:
    assert history.altered() == told


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(replaced(2, "olga", "otto"), id="an entry in the middle"),
        pytest.param(replaced(4, "olga", "otto"), id="the last entry"),
        pytest.param(edited(lambda lines: lines.pop()), id="the last entry, removed"),
        pytest.param(edited(list.clear), id="all entries, removed"),
        pytest.param(replace(FOUR, head=""), id="the head"),
    ],
)
def test_what_was_altered_still_shows_after_later_runs(history: History) -> None:
    assert written(record(V1), record(V2), on=history).altered()


@given(st.integers(0, len(FOUR.text) - 2), st.characters(codec="utf-8"))
@quick
def test_no_character_can_be_changed_unnoticed(at: int, char: str) -> None:
    text = FOUR.text[:at] + char + FOUR.text[at + 1 :]

    assert bool(replace(FOUR, text=text).altered()) == (text != FOUR.text)


@pytest.mark.parametrize("text", [FOUR.text, LEGACY, "{damaged\n\n" + LEGACY, LEGACY + "cut sho"])
def test_lines_stay_byte_for_byte_when_a_run_is_added(text: str) -> None:
    added = History(text, FOUR.head).add(record(V1)).text

    assert added.startswith(text)
    assert added.endswith("\n")
    assert len(added.splitlines()) == len(text.splitlines()) + 1


def test_each_line_carries_the_hash_of_the_one_before() -> None:
    first, second, *_, last = FOUR.text.splitlines()

    assert json.loads(first)["before"] == ""
    assert json.loads(second)["before"] == sha256(first.encode()).hexdigest()
    assert FOUR.head == sha256(last.encode()).hexdigest()


def test_what_is_stored_comes_back(tmp_path: Path) -> None:
    with local_files(tmp_path / "menu") as files:
        files.write(FOUR.files)

        assert History.of(files.read(*HISTORY_FILES)) == FOUR


def test_the_head_is_written_last_and_read_first() -> None:
    # A command that reads without the lock while a run ends must not take that for an edit.
    assert list(FOUR.files) == ["history.jsonl", "history.head"]
    assert HISTORY_FILES == ("history.head", "history.jsonl")


def test_an_entry_of_a_later_version_is_read_for_what_is_known_of_it() -> None:
    line = json.loads(FOUR.text.splitlines()[-1])
    line["mood"] = "good"
    line["run"]["share"] = 20
    line["log"] = [{"step": "Switch", "at": "x", "seconds": 1, "broken": True, "why": "?"}]

    [found] = parse_history(json.dumps(line))

    assert found.log == (Timing("Switch", "x", 1, broken=True),)
    assert found.run == FOUR.records()[-1].run
