"""The words and variables that ansible-playbook is run with, and the real one run with them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from restoops.adapters.ansible import Playbook, Watch, run
from restoops.errors import Interrupted
from restoops.plan.playbook import Result, read_event
from restoops.plan.playbook_board import Board

MODULE = Path(__file__).parents[2] / "ansible" / "playbooks" / "library" / "restoops_swap.py"
SECRET = "never-to-be-shown"
PLAY = f"""
- name: On this machine
  hosts: all
  gather_facts: false
  tasks:
    - name: Hide
      ansible.builtin.command: echo {SECRET}
      no_log: true
      changed_when: true
    - name: Count
      ansible.builtin.debug: {{msg: "{{{{ number }}}}"}}
    - name: Fail in a loop
      ansible.builtin.fail: {{msg: "no {{{{ item }}}}"}}
      loop: [x, y]
"""


def playbook(folder: Path, **words: object) -> Playbook:
    known: dict[str, object] = {"check": False, **words}
    return Playbook(
        folder,
        folder / "play.yml",
        folder / "hosts.json",
        folder / "sockets",
        **known,  # type: ignore[arg-type]
    )


def test_the_words_name_files_and_no_values(tmp_path: Path) -> None:
    words = playbook(tmp_path, variables=tmp_path / "v.json", limit=("a", "b"), check=True).argv()

    assert words == [
        "--inventory", f"{tmp_path}/hosts.json", "--extra-vars", f"@{tmp_path}/v.json",
        "--limit", "a,b", "--check", f"{tmp_path}/play.yml",
    ]  # fmt: skip


def test_ansible_cfg_is_named_unless_the_operator_names_another(tmp_path: Path) -> None:
    assert "ANSIBLE_CONFIG" not in playbook(tmp_path).environment({})
    (tmp_path / "ansible.cfg").touch()

    assert playbook(tmp_path).environment({})["ANSIBLE_CONFIG"] == f"{tmp_path}/ansible.cfg"
    assert "ANSIBLE_CONFIG" not in playbook(tmp_path).environment({"ANSIBLE_CONFIG": "/mine"})


def test_the_real_ansible_is_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "v.json").write_text('{"number": 7}')
    (tmp_path / "hosts.json").write_text(
        '{"all": {"hosts": {"a": {"ansible_connection": "local", '
        '"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}}}'
    )
    lines: list[str] = []

    status = run(playbook(tmp_path, variables=tmp_path / "v.json"), Watch(lines.append))

    assert status == 2
    assert SECRET not in "".join(lines)
    board = Board()
    for line in lines:
        if event := read_event(line):
            board = board.after(event)
    assert board.play == "On this machine"
    assert (board.rows["a"].ok, board.rows["a"].changed) == (2, 1)
    assert [(it.task, it.result, it.message) for it in board.fatal] == [
        ("Fail in a loop", Result.FAILED, "no x; no y")
    ]


def test_nothing_is_begun_once_an_end_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="nothing was begun"):
        run(playbook(tmp_path), Watch(print, lambda: True))


def test_the_module_documents_what_it_takes() -> None:
    values = {
        node.targets[0].id: node.value
        for node in ast.parse(MODULE.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    told = yaml.safe_load(ast.literal_eval(values["DOCUMENTATION"]))["options"]
    host = ast.literal_eval(values["HOST"])
    source = ast.unparse(values["ARGUMENTS"]).replace("'options': HOST", "'options': {}")
    taken = ast.literal_eval(source)

    assert told.keys() == taken.keys()
    for name, words in taken.items():
        assert told[name]["type"] == words["type"]
        assert told[name].get("default") == words.get("default")
        assert told[name].get("choices") == words.get("choices")
    assert told["hosts"]["suboptions"].keys() == host.keys()
    assert yaml.safe_load(ast.literal_eval(values["EXAMPLES"]))
    assert yaml.safe_load(ast.literal_eval(values["RETURN"]))
