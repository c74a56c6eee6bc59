"""`plan --save FOLDER`, `apply --plan FOLDER` and `--expect FILE.json`, for several accounts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.fleet_world import NAMES, codes, names
from cli.test_resume import carried, change_account
from cli.test_shards import fleet_meters
from hypothesis import given
from hypothesis import strategies as st
from published import held

from reconciler.cli.fleet.saved_plans import name_files


def saved(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_every_plan_is_a_file_and_applying_the_folder_applies_each(fleet):
    """A new folder is created; the files are for their owner only."""
    plans = fleet.folder / "plans"
    assert fleet.all("plan", "--save", plans).code == 0
    assert saved(plans) == [f"{name}.json" for name in NAMES]
    assert all(file.stat().st_mode & 0o077 == 0 for file in plans.iterdir())
    document = held(fleet.all("apply", "--plan", plans, "--format", "json").out)
    assert names(document) == list(NAMES)
    assert document["exit_code"] == 0
    assert all(a["changes"][0]["result"]["status"] == "done" for a in document["accounts"])


def test_a_folder_needs_no_account_and_can_be_narrowed(fleet):
    """A plan says itself which account it is for."""
    plans = fleet.folder / "plans"
    fleet.all("plan", "--save", plans)
    some = fleet.run("apply", fleet.folder, "--plan", plans, "--account", "b", "--format", "json")
    assert names(held(some.out)) == ["b"]
    rest = held(fleet.run("apply", fleet.folder, "--plan", plans, "--format", "json").out)
    assert names(rest) == list(NAMES)
    assert [a["changes"][0]["result"]["status"] for a in rest["accounts"]].count("already") == 1


def test_the_plans_of_a_folder_are_shown_together(fleet):
    plans = fleet.folder / "plans"
    fleet.all("plan", "--save", plans)
    document = held(fleet.run("show", plans, "--format", "json").out)
    assert names(document) == list(NAMES)
    assert document["summary"]["create"] == 6


def test_one_account_is_saved_to_a_file_unless_a_folder_is_named(fleet):
    """So that a pattern that matches one account today needs no other command."""
    one, plans = fleet.folder / "one", fleet.folder / "plans"
    run = fleet.run
    assert run("plan", fleet.folder, "--account", "a", "--save", one).code == 0
    assert one.is_file()
    assert run("plan", fleet.folder, "--account", "a", "--save", f"{plans}/").code == 0
    assert saved(plans) == ["a.json"]
    assert run("plan", fleet.folder, "--account", "a", "--save", plans).code == 0
    assert run("apply", fleet.folder, "--plan", plans).code == 0


def test_older_plans_of_the_accounts_are_replaced_or_removed(fleet):
    """None is left of an account that could not be planned now."""
    plans = fleet.folder / "plans"
    fleet.all("plan", "--save", plans)
    before = (plans / "b.json").read_text()
    fleet.write(*[name for name in NAMES if name != "a"], a="NOT_SET")
    assert fleet.all("plan", "--save", plans).code == 6
    assert saved(plans) == [f"{name}.json" for name in NAMES if name != "a"]
    assert (plans / "b.json").read_text() != before


def test_plans_of_other_accounts_are_never_left_in_the_folder(fleet):
    """They would be applied with it; the user decides what becomes of them."""
    plans = fleet.folder / "plans"
    fleet.all("plan", "--save", plans)
    fleet.write("a", "b")
    ran = fleet.all("plan", "--save", plans, "--format", "json")
    (said,) = held(ran.out)["diagnostics"]
    assert (ran.code, said["code"]) == (64, "M007")
    assert "c.json, d.json, e.json, f.json" in said["message"]
    assert len(saved(plans)) == 6


def test_other_files_of_the_folder_stay(fleet):
    plans = fleet.folder / "plans"
    plans.mkdir()
    (plans / "README.md").write_text("notes")
    assert fleet.all("plan", "--save", plans).code == 0
    assert (plans / "README.md").read_text() == "notes"


def test_where_no_folder_can_be_is_a_usage_error(fleet):
    file = fleet.folder / "file"
    file.write_text("")
    for target in (file, file / "plans", fleet.folder / ".reconciler" / "plans"):
        ran = fleet.all("plan", "--save", target, "--format", "json")
        assert ran.code == 64, target
        assert len(held(ran.out)["diagnostics"]) == 1
    assert not (fleet.folder / ".reconciler").exists()


@pytest.mark.parametrize("damage", ["empty", "cut", "edited", "twice"])
def test_a_folder_that_is_not_whole_applies_nothing(damage, fleet):
    """Every bad file is named."""
    plans = fleet.folder / "plans"
    fleet.all("plan", "--save", plans)
    text = (plans / "a.json").read_text()
    if damage == "empty":
        for file in plans.iterdir():
            file.unlink()
    elif damage == "twice":
        (plans / "z.json").write_text(text)
    else:
        bad = text[:-20] if damage == "cut" else text.replace("Seats", "Chairs")
        (plans / "a.json").write_text(bad)
        (plans / "b.json").write_text(bad)
    ran = fleet.all("apply", "--plan", plans, "--format", "json")
    document = held(ran.out)
    assert (ran.code, document["accounts"]) == (1, [])
    expected = {"empty": ["M007"], "twice": ["M007"]}.get(damage, ["P101", "P101"])
    assert len(codes(document)) == len(expected)
    assert fleet.all("plan", "--detailed-exitcode").code == 2


def test_a_resumed_plan_keeps_the_saved_plans_it_carries_over(fleet):
    """Where one is missing, or is of another run, its account is planned again."""
    plans = fleet.folder / "plans"
    earlier = fleet.report("earlier", "plan", "--save", plans)
    change_account(earlier, "b", exit_code=1, complete=False)
    (plans / "c.json").unlink()
    kept = (plans / "a.json").read_text()
    words = ("--resume", earlier, "--save", plans, "--format", "json")
    document = held(fleet.all("plan", *words).out)
    assert carried(document) == ["a", "d", "e", "f"]
    assert (plans / "a.json").read_text() == kept
    assert len(saved(plans)) == 6


@given(st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=6))
def test_the_file_names_of_accounts_are_safe_and_differ_without_regard_to_case(accounts):
    files = name_files(accounts)
    assert list(files) == accounts
    assert len({name.casefold() for name in files.values()}) == len(accounts)
    assert all(name.isascii() and not set(name) & set('/\\:*?"<>| ') for name in files.values())


def test_the_file_of_a_connected_account_is_in_the_folder_itself():
    assert name_files(["partners/acct_1"]) == {"partners/acct_1": "partners%2Facct_1.json"}


@pytest.fixture
def reviewed(fleet):
    """A file with the hash of each account's plan."""
    report = json.loads(fleet.report("reviewed", "plan").read_text())
    file = fleet.folder / "expected.json"
    hashes = {a["account"]["name"]: a["plan_hash"] for a in report["accounts"]}
    file.write_text(json.dumps(hashes))
    return file, hashes


def test_every_account_is_applied_only_with_its_own_hash(fleet, reviewed):
    """One that differs is refused, and stops no other."""
    file, hashes = reviewed
    file.write_text(json.dumps(hashes | {"b": "0" * 64}))
    ran = fleet.all("apply", "--expect", file, "--format", "json")
    document = held(ran.out)
    assert ran.code == 3
    assert [a["exit_code"] for a in document["accounts"]] == [0, 3, 0, 0, 0, 0]


def test_one_account_may_have_a_file_too(fleet, reviewed):
    file, _ = reviewed
    words = ("--account", "c", "--yes", "--expect", file)
    assert fleet.run("apply", fleet.folder, *words).code == 0


def test_a_hash_is_for_one_account(fleet, reviewed):
    _, hashes = reviewed
    ran = fleet.all("apply", "--expect", hashes["a"], "--format", "json")
    assert (ran.code, codes(held(ran.out))) == (64, ["U002"])


WRONG = {
    "missing": (lambda h: json.dumps({k: v for k, v in h.items() if k != "b"}), "no plan_hash of"),
    "unknown": (lambda h: json.dumps(h | {"z": "0" * 64}), "the project does not have account z"),
    "list": (lambda h: json.dumps([h]), "not a JSON object"),
    "null": (lambda h: json.dumps(h | {"b": None}), "no plan_hash of account b: not planned"),
    "short": (lambda h: json.dumps(h | {"b": "0"}), "not a plan_hash: the value of account b"),
    "twice": (lambda h: f'{{"a": "{h["a"]}", {json.dumps(h)[1:]}', "not a JSON object"),
    "empty": (lambda h: "", "not a JSON object"),
}


@pytest.mark.parametrize(("write", "message"), WRONG.values(), ids=WRONG)
def test_a_file_that_does_not_cover_the_accounts_approves_nothing(write, message, fleet, reviewed):
    file, hashes = reviewed
    file.write_text(write(hashes))
    ran = fleet.all("apply", "--expect", file, "--format", "json")
    (said,) = held(ran.out)["diagnostics"]
    assert (ran.code, said["code"]) == (1, "M008")
    assert message in said["message"]
    assert fleet.all("plan", "--detailed-exitcode").code == 2


def test_the_hashes_of_other_shards_may_be_in_the_file(fleet, reviewed):
    file, _ = reviewed
    assert fleet.all("apply", "--expect", file, "--shard", "1/2").code == 0


def test_a_saved_plan_of_an_account_that_was_removed_is_refused(fleet):
    plans = fleet.folder / "plans"
    fleet.all("plan", "--save", plans)
    fleet.write(*NAMES[:-1], meters=fleet_meters("Seats"))
    assert fleet.run("apply", fleet.folder, "--plan", plans).code == 3


OVER = {
    "the report is a plan": ("plan", "--save", "{plans}/", "--out", "json={plans}/a.json"),
    "the report is among the plans": ("plan", "--save", "{plans}", "--out", "json={plans}/z.json"),
    "by way of a link": ("plan", "--save", "{plans}", "--out", "json=link.json"),
    "the report to resume": ("plan", "--resume", "{plans}/f.json", "--save", "{plans}"),
    "a report among the plans": ("plan", "--resume", "{plans}/z.json", "--save", "{plans}"),
    "the plan to apply": ("apply", "--plan", "{plans}", "--out", "json={plans}/a.json"),
    "among the plans to apply": ("apply", "--plan", "{plans}/", "--out", "html={plans}/x.JSON"),
    "the approved plan": (
        *("apply", "--expect", "h.json", "--approved", "{plans}", "--out", "json={plans}/a.json"),
    ),
    "the hashes": ("apply", "--expect", "h.json", "--out", "json=./h.json"),
    "the plan that is shown": ("show", "{plans}", "--out", "json={plans}/a.json"),
    "the report to publish": ("publish", "github-comment", "h.json", "--out", "json=h.json"),
    "the state to import": ("import", "--from-terraform", "h.json", "--out", "json=h.json"),
    "the report to merge": ("merge", "h.json", "--out", "json=h.json"),
}


@pytest.mark.parametrize("words", OVER.values(), ids=OVER)
def test_what_a_run_reads_or_saves_is_not_replaced_by_its_report(words, fleet, monkeypatch):
    """Whether or not the plan, the report or the hashes can be used: all files stay."""
    monkeypatch.chdir(fleet.folder)
    plans = fleet.folder / "plans"
    fleet.all("plan", "--save", plans)
    fleet.report("h", "plan")
    (plans / "f.json").write_bytes((fleet.folder / "h.json").read_bytes())
    if "z.json" in str(words):
        (plans / "z.json").write_bytes((fleet.folder / "h.json").read_bytes())
    (fleet.folder / "link.json").symlink_to("plans/a.json")
    before = {file: file.read_bytes() for file in fleet.folder.rglob("*.json")}
    command, *rest = (word.format(plans=plans) for word in words)
    act = fleet.all if command in ("plan", "apply") else fleet.run
    ran = act(command, *rest)
    assert (ran.code, "error U009" in ran.out + ran.err) == (64, True), ran.out
    assert {file: file.read_bytes() for file in fleet.folder.rglob("*.json")} == before


def test_the_one_plan_is_not_saved_over_the_report_to_resume(fleet):
    report = fleet.report("r", "plan", "--account", "a")
    before = report.read_text()
    words = ("--account", "a", "--resume", report, "--save", report)
    ran = fleet.run("plan", fleet.folder, *words, "--format", "json")
    assert (ran.code, codes(held(ran.out))) == (64, ["U009"])
    assert report.read_text() == before


def test_a_plan_of_a_folder_is_a_regular_file(fleet):
    """A pipe could not be read as a plan later."""
    plans = fleet.folder / "plans"
    plans.mkdir()
    (plans / "a.json").symlink_to("/dev/null")
    ran = fleet.all("plan", "--save", plans, "--format", "json")
    (said,) = held(ran.out)["diagnostics"]
    assert (ran.code, said["message"]) == (64, "cannot be written: it is not a regular file")


def test_other_documents_may_be_in_the_folder_of_the_plans(fleet):
    plans = fleet.folder / "plans"
    fleet.all("plan", "--save", plans)
    assert fleet.all("plan", "--save", plans, "--out", f"html={plans}/plan.html").code == 0
    assert fleet.all("apply", "--plan", plans, "--out", f"text={plans}/plan.txt").code == 0
    assert len(saved(plans)) == 8


@pytest.mark.parametrize("means", ["--plan", "--expect"])
def test_the_result_of_another_plan_is_not_carried_over(means, fleet):
    """Of the same files: one account changed since, and its new plan is applied to it."""

    def review(name):
        folder = fleet.folder / name
        report = fleet.report(f"{name}-report", "plan", "--save", folder)
        data = json.loads(report.read_text())
        file = fleet.folder / f"{name}-hashes.json"
        hashes = {a["account"]["name"]: a["plan_hash"] for a in data["accounts"]}
        file.write_text(json.dumps(hashes))
        return folder if means == "--plan" else file

    old = review("old")
    earlier = fleet.report("earlier", "apply", means, old)
    same = held(fleet.all("apply", means, old, "--resume", earlier, "--format", "json").out)
    assert carried(same) == list(NAMES)
    fleet.write(*NAMES, meters=fleet_meters("Chairs"))
    fleet.run("apply", fleet.folder, "--account", "b", "--yes")
    fleet.write(*NAMES)
    new = review("new")
    document = held(fleet.all("apply", means, new, "--resume", earlier, "--format", "json").out)
    assert (carried(document), document["exit_code"]) == ([], 0)
    assert document["accounts"][1]["changes"][0]["result"]["status"] == "done"
    assert fleet.all("plan", "--detailed-exitcode").code == 0
