"""Parse the entries of a journal, whatever it contains."""

from __future__ import annotations

import json
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from published import held

from reconciler.history import journal
from reconciler.history.runs import parse_runs, select_changes
from reconciler.render import render
from reconciler.report.history import History

KEY = "reconciler-none-0123456789abcdef0123456789abcdef"
RUN = {
    "plan_id": "0123456789abcdef0123456789abcdef",
    "plan_hash": "h" * 64,
    "account": {"name": "sandbox", "id": "acct_1", "livemode": False},
    "commit": "c" * 40,
    "user": "ada",
    "job": "https://ci.example/7",
    "tool_version": "0.1.0",
}


def entries(run="aaaa0001", *told):
    """A run's entries, a second apart."""
    clock = count(1_790_000_000)
    changes = [{"kind": "run", **RUN}, *told]
    return [{**each, "at": next(clock), "run": run, "plan_id": RUN["plan_id"]} for each in changes]


def request(kind, name, operation, n=1, **more):
    told = {"event_name": name, "operation": operation, "n": n, "undoes": None, "meter_id": None}
    return {"kind": kind, **told, "key": f"{KEY}-{n}-1", **more}


def seen(name, operation, n=1, **more):
    return request(
        "response", name, operation, n, result="confirmed", request_id=f"req_{n}", **more
    )


def result(name, action, status, **more):
    return {"kind": "result", "event_name": name, "action": action, "status": status, **more}


ERROR = {"code": "A006", "message": "create of 'seats' failed: no; mtr_s is active again"}
WHOLE = entries(
    "aaaa0001",
    request("request", "calls", "create"),
    seen("calls", "create", meter_id="mtr_c", attempts=1),
    result("calls", "create", "done", meter_id="mtr_c"),
    request("request", "seats", "deactivate", 2, meter_id="mtr_s"),
    seen("seats", "deactivate", 2, meter_id="mtr_s", attempts=1),
    request("request", "seats", "create", 3),
    request("response", "seats", "create", 3, result="rejected", status=400, request_id="req_3"),
    request("request", "seats", "reactivate", 4, meter_id="mtr_s", undoes=2),
    seen("seats", "reactivate", 4, meter_id="mtr_s", undoes=2, attempts=3),
    result("seats", "replace", "failed", meter_id="mtr_s", **ERROR),
    {"kind": "end", "exit_code": 5},
)
KILLED = entries(
    "aaaa0002",
    request("request", "calls", "update"),
    request("request", "seats", "update", 2),
    request("not_sent", "seats", "update", 2, result="not_sent"),
)


def test_runs_look_as_reviewed(golden):
    """One that failed in part, and one that was killed."""
    told = History(runs=parse_runs([*WHOLE, *KILLED]))
    golden("history/expected.txt", render(told, "text"))
    golden("history/expected.json", render(told, "json"))
    held(render(told, "json"))


def test_entries_of_concurrent_runs_are_separated():
    """Two jobs with one saved plan use the same keys."""
    mixed = [
        line for pair in zip(WHOLE, entries("bbbb0001", *WHOLE[1:]), strict=True) for line in pair
    ]
    one, other = parse_runs(mixed)
    assert (one.run, other.run) == ("aaaa0001", "bbbb0001")
    assert one.changes == other.changes


class Counted(dict):
    """An entry that counts how often any entry is read."""

    looks = 0

    def get(self, *words):
        Counted.looks += 1
        return super().get(*words)


@pytest.mark.parametrize("name", ["calls_{}", "calls"])
def test_parsing_takes_linear_time(name):
    many = [entry for n in range(500) for entry in _tried(name.format(n), n)]
    Counted.looks = 0
    (run,) = parse_runs(map(Counted, entries("aaaa0001", *many)))
    assert sum(len(line.requests) for line in run.changes) == 500
    assert all(each.result == "confirmed" for line in run.changes for each in line.requests)
    assert Counted.looks < 40 * len(many)


def _tried(name, n):
    return request("request", name, "create", n), seen(name, "create", n)


def test_one_meter_of_many():
    runs = tuple(select_changes(parse_runs([*WHOLE, *KILLED]), "seats"))
    assert [[line.event_name for line in run.changes] for run in runs] == [["seats"], ["seats"]]
    assert tuple(select_changes(runs, "calls")) == ()


def test_a_killed_run_has_no_end_and_an_open_request():
    (run,) = parse_runs(KILLED)
    assert (run.ended, run.exit_code) == (None, None)
    results = {line.event_name: [r.result for r in line.requests] for line in run.changes}
    assert results == {"calls": [None], "seats": ["not_sent"]}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
NAMES = sorted({name for entry in [*WHOLE, *KILLED] for name in entry})


@example([(WHOLE[n], {"result": ""}) for n in range(len(WHOLE))])
@given(st.lists(st.tuples(st.sampled_from(WHOLE), st.dictionaries(st.sampled_from(NAMES), VALUES))))
def test_an_edited_journal_can_be_read(edited):
    told = History(runs=parse_runs([{**entry, **edit} for entry, edit in edited]))
    held(render(told, "json"))
    assert render(told, "text").strip()


@pytest.fixture
def project(tmp_path):
    """A project with nothing but a journal."""
    (tmp_path / "meters.yaml").write_text("version: 1\nmeters: []\n")
    folder = tmp_path / ".reconciler"
    folder.mkdir()
    changes = "".join(f"{json.dumps(entry)}\n" for entry in [*WHOLE, *KILLED])
    (folder / journal.NAME).write_text(changes)
    return tmp_path


def test_history_of_all_meters_or_one(run, project):
    """Offline and without a key."""
    every = held(run("history", project, "--format", "json").out)
    assert [len(each["changes"]) for each in every["runs"]] == [2, 2]
    some = held(run("history", project, "--meter", "seats", "--format", "json").out)
    assert [len(each["changes"]) for each in some["runs"]] == [1, 1]
    kinds = ["update", "deactivate", "create", "reactivate", "replace"]
    assert [each["kind"] for each in some["timeline"]] == kinds
    none = run("history", project, "--meter", "nothing")
    assert none.code == 0
    assert none.out.endswith("\nNo history for 'nothing' in the sources that could be read.\n")


@pytest.mark.parametrize(
    ("account", "code", "runs"), [("default", 0, 0), ("sandbox", 0, 2), ("production", 64, 0)]
)
def test_an_account_is_one_of_the_project_or_of_the_journal(account, code, runs, run, project):
    """One that has left the project still has a history."""
    told = run("history", project, "--account", account, "--format", "json")
    assert (told.code, len(held(told.out).get("runs", []))) == (code, runs)


def test_a_damaged_entry_is_a_warning(run, project):
    path = project / ".reconciler" / journal.NAME
    path.write_bytes(path.read_bytes()[:-9])
    told = run("history", project, "--format", "json")
    document = held(told.out)
    assert (told.code, document["complete"]) == (0, False)
    assert [diagnostic["code"] for diagnostic in document["diagnostics"]] == ["J002"]
    assert len(document["runs"]) == 2


def test_two_damaged_entries_are_one_warning(run, project):
    path = project / ".reconciler" / journal.NAME
    whole = path.read_bytes()
    path.write_bytes(b"{\n" + whole + b"[\n")
    (warning,) = held(run("history", project, "--format", "json").out)["diagnostics"]
    last = whole.count(b"\n") + 2
    assert warning["message"] == (
        f"2 entries of the journal are unreadable, from line 1 to line {last}"
    )


def test_a_journal_that_cannot_be_opened_is_an_error(run, project):
    path = project / ".reconciler" / journal.NAME
    path.unlink()
    path.mkdir()
    for format_ in ("text", "json"):
        told = run("history", project, "--format", format_)
        assert told.code == 1
        assert "J004" in told.out


DENIED = {"result": "indeterminate", "status": 403}


@pytest.mark.parametrize(
    ("answer", "change", "expected"),
    [
        ({}, {}, "rejected"),
        ({"status": 401}, {}, "rejected"),
        ({"status": 500}, {}, "indeterminate"),
        ({"replayed": True}, {}, "indeterminate"),
        ({}, {"status": "unknown"}, "indeterminate"),
        ({}, {"status": "stale"}, "indeterminate"),
        ({}, {"code": "A001"}, "indeterminate"),
    ],
)
def test_a_denied_request_is_rejected_where_the_result_proves_it(answer, change, expected):
    """The code alone says that the meter was read; only the last request was answered so."""
    first = {"status": 403, "result": "indeterminate"}
    told = {"status": "failed", "code": "A011"} | change
    (run,) = parse_runs(
        entries(
            "aaaa0001",
            request("request", "seats", "update"),
            {**seen("seats", "update"), **first},
            request("request", "seats", "update", 2),
            {**seen("seats", "update", 2), **DENIED, **answer},
            result("seats", "update", **told),
        )
    )
    (past,) = run.changes
    assert [each.result for each in past.requests] == ["indeterminate", expected]
