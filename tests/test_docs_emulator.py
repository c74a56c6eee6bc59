"""docs/reference/emulator.md: its sessions are captured from real runs, its tables are complete."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run

from reconciler.emulator import (
    PERMISSIONS,
    ControlledServer,
    Fault,
    Kind,
    Server,
    list_choices,
    open_state,
)
from reconciler.emulator.control import PARTS
from reconciler.emulator.messages import Request
from reconciler.emulator.requests.faults import OPTIONS
from reconciler.emulator.routes import ENDPOINTS
from reconciler.emulator.storage.seed import build_validator

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "emulator.md"
TEXT = PAGE.read_text("utf-8")
CONSOLE = re.compile(r"(```console\n\$ (.*)\n)(?:(?!```).*\n)*```")
_SERVED = re.compile(r"http://127\.0\.0\.1:\d+")
PRINTED = "http://127.0.0.1:12111"


class Emulator:
    """An emulator in a process of its own, on a free port, and its output."""

    def __init__(self, words: list[str]) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *words, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._child.stdout
        self._output = self._child.stdout.readline()
        (self.url,) = _SERVED.findall(self._output)

    def end(self) -> str:
        """Stop it; return its output, with the default port."""
        self._child.terminate()
        rest, _ = self._child.communicate(timeout=10)
        assert self._child.returncode == 0
        return (self._output + rest).replace(self.url, PRINTED)


def write_files(url: str) -> None:
    """Write the files of the page into this folder, for an emulator at this address."""
    for name, text in re.findall(r"`([\w/]+\.\w+)`:\n\n```\w+\n(.*?)```", TEXT, re.S):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text.replace(PRINTED, url), "utf-8")


def run_sessions(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Run each command of the page; an emulator runs until the next one starts."""
    serving: tuple[str, Emulator] | None = None
    write_files(PRINTED)
    for _, command in CONSOLE.findall(TEXT):
        key, name, *words = shlex.split(f"NONE= {command}" if command[0] == "r" else command)
        assert name == "reconciler"
        if words[0] == "emulate":
            if serving:
                yield serving[0], serving[1].end()
            serving = command, Emulator(words)
            write_files(serving[1].url)
        else:
            monkeypatch.setenv(*key.split("=", 1))
            ran = run(*words)
            assert ran.code == 0
            yield command, ran.out
    assert serving
    yield serving[0], serving[1].end()


def test_the_sessions_are_captured_output(tmp_path, monkeypatch, run, request):
    monkeypatch.chdir(tmp_path)
    output = dict(run_sessions(run, monkeypatch))
    wanted = CONSOLE.sub(lambda found: f"{found[1]}{output[found[2]]}```", TEXT)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(wanted, "utf-8")
    assert PAGE.read_text("utf-8") == wanted


def test_every_option_of_emulate_is_on_the_page(run):
    own, _ = run("emulate", "--help").out.split("\noutput:\n")
    for option in set(re.findall(r"--[a-z-]+", own)):
        assert f"`{option}" in TEXT, option


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_fault_is_on_the_page(kind):
    faults = TEXT[TEXT.index("## Faults") : TEXT.index("## Switches")]
    (shown,) = re.findall(rf"^\| `({kind}[^`]*)` \|", faults, re.M)
    assert Fault.parse(shown).kind is kind


def test_every_option_of_a_fault_is_on_the_page():
    shown = re.findall(r"`([a-z_]+)=[^`]+`", TEXT[TEXT.index("## Faults") :])
    assert {*OPTIONS, "post"} <= set(shown)
    for spec in re.findall(r"--fault (\S+)", TEXT):
        if spec != "SPEC`":
            Fault.parse(spec)


def test_every_switch_is_on_the_page():
    table = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", TEXT, re.M)
    shown = {name: values.replace("`", "") for name, values in table}
    for name, values in list_choices().items():
        assert shown[name] == values.strip('"').replace("|", ", "), name


def test_every_call_and_permission_is_on_the_page():
    table = re.findall(r"^\| `([A-Z]+) (\S+)` \| (\w+) \|$", TEXT, re.M)
    assert table == [(each.method, each.path, each.permission) for each in ENDPOINTS]
    assert all(f"`{name}`" in TEXT for name in PERMISSIONS)


@pytest.mark.parametrize(
    "name", ["account", "meters", "products", "prices", "customers", "alerts", "events"]
)
def test_every_field_of_a_seed_is_on_the_page(name):
    (row,) = re.findall(rf"^\| `{name}` \|(.*)\|$", TEXT, re.M)
    fields = build_validator().schema["$defs"][name.rstrip("s")]["properties"]
    assert set(re.findall(r"`(\w+)`", row)) - {"idempotency_key"} == set(fields)


def test_every_request_of_the_control_path_is_on_the_page():
    """Each example is accepted."""
    table = re.findall(r"^\| `([A-Z]+) /_emulator/?(\w*)` \| (?:`(.+?)`)? ?\|", TEXT, re.M)
    shown = {(method, part): body for method, part, body in table}
    assert set(shown) == {(method, name) for name, part in PARTS.items() for method in part.methods}
    seed = {
        "meters": [
            {
                "id": "mtr_1",
                "event_name": "a",
                "display_name": "A",
                "default_aggregation": {"formula": "sum"},
            }
        ]
    }
    with open_state(None, seed) as store, ControlledServer(store) as server:
        for (method, part), body in shown.items():
            path = f"/_emulator/{part}".rstrip("/")
            headers = {"content-type": "application/json"}
            answer = server.exchange(Request(method, path, "", headers, body.encode()))
            assert answer.status == 200, (method, part, answer.body)


def test_the_usage_on_the_page_is_sent_and_summed(capsys):
    seed = json.loads(re.findall(r"here `seed.json`:\n\n```json\n(.*?)```", TEXT, re.S)[0])
    (code,) = re.findall(r"```python\n(import stripe\n.*?)```", TEXT, re.S)
    with open_state(None, seed) as store, Server(store) as server:
        exec(code.replace(PRINTED, server.url), {})
    assert capsys.readouterr().out == "25\n"


KNOWN = re.findall(r"^\| (.+) \| (.+) \| (.*?) ?\| `(test_\w+\.py)(?:::(\w+))?` \|$", TEXT, re.M)
GRADES = ("documented", "observed", "inferred", "unknown", "a choice")
ALWAYS_CHOSEN = {"chance_seed", "latency"}


def test_every_fact_names_its_grade_an_existing_switch_and_an_existing_test():
    assert len(KNOWN) == len(re.findall(r"^\|[^|]+\|[^|]+\|[^|]*\| `test_.*\|$", TEXT, re.M)) > 60
    for fact, known, switches, module, function in KNOWN:
        assert known.startswith(GRADES), fact
        for name in re.findall(r"`(\w+)`", switches):
            assert (
                name in list_choices()
                or name in build_validator().schema["$defs"]["meter"]["properties"]
            ), (fact, name)
        text = (ROOT / "tests" / "emulator" / module).read_text("utf-8")
        assert not function or re.search(rf"^def {function}\(", text, re.M), (fact, function)


def test_every_switch_belongs_to_a_fact_and_to_its_test():
    """A test of that module uses the switch."""
    for name in set(list_choices()) - ALWAYS_CHOSEN:
        modules = {row[3] for row in KNOWN if f"`{name}`" in row[2]}
        assert modules, name
        texts = [(ROOT / "tests" / "emulator" / module).read_text("utf-8") for module in modules]
        assert any(name in text for text in texts), name
