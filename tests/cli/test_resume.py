"""`--resume REPORT`: what succeeded is carried over, and everything else is run."""

from __future__ import annotations

import json

import pytest
from cli.fleet_world import NAMES, codes, names
from cli.test_shards import edit, fleet_meters
from published import held

COMMANDS = ["plan", "apply", "drift"]


def carried(document):
    """The accounts whose results are of the earlier run."""
    return [a["account"]["name"] for a in document["accounts"] if a.get("carried_over")]


def change_account(file, name, **values):
    """Another result for one account of a report."""
    data = json.loads(file.read_text())
    for account in data["accounts"]:
        if account["account"]["name"] == name:
            account |= values
    data["complete"] = all(account["complete"] for account in data["accounts"])
    worst = max(account["exit_code"] for account in data["accounts"])
    file.write_text(json.dumps(data | {"exit_code": worst}))


@pytest.mark.parametrize("command", COMMANDS)
def test_failed_and_absent_accounts_are_run_and_the_others_carried_over(command, fleet):
    """In the order of the project; the result is the same as that of a run of all."""
    earlier = fleet.report("earlier", command, "--account", "[abcd]")
    data = json.loads(earlier.read_text())
    data["accounts"] = [a for a in data["accounts"] if a["account"]["name"] in "abcd"]
    earlier.write_text(json.dumps(data))
    change_account(earlier, "b", exit_code=6, complete=False)
    change_account(earlier, "c", complete=False)
    ran = fleet.all(command, "--resume", earlier, "--format", "json")
    document = held(ran.out)
    assert names(document) == list(NAMES)
    assert carried(document) == ["a", "d"]
    assert document["complete"]
    assert ran.code == (2 if command == "drift" else 0)


def test_an_interrupted_apply_is_taken_up_where_it_ended(fleet):
    """Nothing is sent to the accounts that were done; the others get their meters."""
    earlier = fleet.report("earlier", "apply")
    data = json.loads(earlier.read_text())
    for account in data["accounts"][3:]:
        (fleet.folder / f".reconciler/{account['account']['name']}.json").unlink()
        account |= {"changes": [], "exit_code": 130, "complete": False}
    data |= {"exit_code": 130, "complete": False}
    earlier.write_text(json.dumps(data))
    document = held(fleet.all("apply", "--resume", earlier, "--format", "json").out)
    assert carried(document) == ["a", "b", "c"]
    assert [a["changes"][0]["result"]["status"] for a in document["accounts"]] == ["done"] * 6
    assert held(fleet.all("plan", "--format", "json").out)["summary"]["unchanged"] == 6


def test_an_account_whose_declarations_changed_is_run_again(fleet):
    """A result holds for what was declared; the run says so."""
    earlier = fleet.report("earlier", "apply")
    fleet.write(*NAMES, meters=fleet_meters("Chairs"))
    document = held(fleet.all("apply", "--resume", earlier, "--format", "json").out)
    assert (carried(document), codes(document)) == ([], ["M006"])
    assert document["summary"]["update"] == 6


def test_a_report_does_not_say_what_is_written(fleet):
    """An edited result of an account is carried over or not; no change in it is applied."""
    earlier = fleet.report("earlier", "plan")
    text = earlier.read_text().replace('"seats"', '"forged"')
    earlier.write_text(text)
    change_account(earlier, "a", exit_code=1)
    document = held(fleet.all("plan", "--resume", earlier, "--format", "json").out)
    assert [c["event_name"] for c in document["accounts"][0]["changes"]] == ["seats"]
    wrong = fleet.all("apply", "--resume", earlier, "--format", "json")
    assert (wrong.code, codes(held(wrong.out))) == (1, ["M004"])


def test_accounts_that_the_project_no_longer_has_are_named(fleet):
    earlier = fleet.report("earlier", "plan")
    fleet.write("a", "b")
    document = held(fleet.all("plan", "--resume", earlier, "--format", "json").out)
    (said,) = document["diagnostics"]
    assert (said["code"], said["level"]) == ("M005", "warning")
    assert said["message"] == (
        "accounts 'c', 'd', 'e' and 1 more: in this report, and not in the project"
    )
    assert (names(document), carried(document)) == (["a", "b"], ["a", "b"])


def test_a_shard_and_its_report_work_together(fleet):
    """What is resumed can be joined, and what is joined can be resumed."""
    one, two = (fleet.report(f"s{n}", "drift", "--shard", f"{n}/2") for n in (1, 2))
    part = json.loads(one.read_text())["accounts"][0]["account"]["name"]
    change_account(one, part, exit_code=6, complete=False)
    again = fleet.report("again", "drift", "--shard", "1/2", "--resume", one)
    assert part not in carried(json.loads(again.read_text()))
    merged = fleet.folder / "merged.json"
    assert fleet.merge(again, two, "--out", f"json={merged}").code == 2
    assert names(held(merged.read_text())) == list(NAMES)
    whole = held(fleet.all("drift", "--resume", merged, "--format", "json").out)
    assert carried(whole) == list(NAMES)


@pytest.mark.parametrize(
    ("command", "words", "code"),
    [
        ("plan", ["--detailed-exitcode"], 2),
        ("plan", [], 0),
        ("drift", ["--fail-on", "revenue"], 2),
        ("apply", [], 0),
    ],
)
def test_a_result_that_is_carried_over_has_the_exit_code_of_this_run(command, words, code, fleet):
    """The options of the earlier run may have been others."""
    other = {"plan": [] if words else ["--detailed-exitcode"]}.get(command, [])
    earlier = fleet.report("earlier", command, *other)
    ran = fleet.all(command, "--resume", earlier, *words)
    assert ran.code == code
    assert "Carried over from an earlier run: 6 accounts." in ran.out


def test_the_report_to_resume_is_not_replaced(fleet):
    earlier = fleet.report("earlier", "plan")
    before = earlier.read_text()
    ran = fleet.all("plan", "--resume", earlier, "--out", f"json={earlier}", "--format", "json")
    assert (ran.code, codes(held(ran.out))) == (64, ["U009"])
    assert earlier.read_text() == before


@pytest.mark.parametrize("text", ["", "{}", '{"format_version": "1.0"}'])
def test_what_is_no_report_ends_the_run_before_any_request(text, fleet):
    file = fleet.folder / "bad.json"
    file.write_text(text)
    ran = fleet.all("apply", "--resume", file, "--format", "json")
    assert (ran.code, codes(held(ran.out))) == (1, ["H001"])
    assert not (fleet.folder / ".reconciler").exists()


def test_a_report_of_another_format_version_is_refused(fleet):
    earlier = edit(fleet.report("earlier", "plan"), format_version="2.0")
    assert codes(held(fleet.all("plan", "--resume", earlier, "--format", "json").out)) == ["H001"]
