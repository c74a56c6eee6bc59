"""The Action: its steps run with bash as they are written, against a GitHub on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from action.conftest import PULL
from action.runner import ACTION
from cli.world import CALLS, SEATS, existing

from reconciler.planning.plan_file import load_plan

MERGED, HEAD = "a" * 40, PULL["head"]["sha"]
COUNTED = {
    "default_aggregation[formula]": "count",
    "customer_mapping[type]": "by_id",
    "customer_mapping[event_payload_key]": "stripe_customer_id",
}
ACCOUNT = {"account_id": "acct_1EmulatedAccount"}
FORK = {"pull_request": {"head": {"sha": HEAD, "repo": {"full_name": "mallory/billing"}}}}
MERGE = {**PULL, "merge_commit_sha": MERGED, "merged_at": "2026-05-01T12:00:00Z"}


@pytest.fixture
def approved(world, runner, github):
    """A project whose plan on a pull request was approved, and merged as another commit."""

    def build(meters=SEATS, **account):
        made = world(meters, **{**ACCOUNT, **account})
        job = runner(made.folder)
        passed, planned = job.use(command="plan")
        assert passed, job.log
        review = {"user": {"login": "omar", "type": "User"}, "state": "APPROVED", "commit_id": HEAD}
        github.pulls = [MERGE]
        github.reviews = [{**review, "submitted_at": "2026-05-01T11:00:00Z"}]
        github.permissions = {"omar": "write"}
        return made, planned["plan-hash"]

    return build


def test_a_plan_on_a_pull_request(world, runner, github):
    """It is in the summary, an artifact, the outputs, and a status of the head commit."""
    made = world(f"{SEATS}\n{CALLS}", {"meters": [existing("other", "Other")]}, **ACCOUNT)
    job = runner(made.folder, bash=True)
    passed, outputs = job.use(command="plan")
    assert passed, job.log
    report = json.loads(Path(outputs["report"]).read_text("utf-8"))
    assert (outputs["create"], outputs["unmanaged"], outputs["findings"]) == ("2", "1", "0")
    assert (outputs["exit-code"], outputs["failure-reason"]) == ("0", "")
    assert outputs["plan-hash"] == report["accounts"][0]["plan_hash"]
    assert outputs["plan-id"] == report["accounts"][0]["plan_id"]
    assert "seats" in job.summary
    uploaded, plan = job.uploaded
    assert (uploaded["name"], Path(uploaded["path"])) == (
        "reconciler-meters-plan",
        Path(outputs["report"]).parent,
    )
    assert plan["name"] == f"reconciler-plan-{outputs['plan-hash']}"
    assert load_plan(Path(plan["path"]).read_text(), "").plan_hash == outputs["plan-hash"]
    (status,) = github.statuses[HEAD]
    assert (status["state"], status["context"]) == ("success", "reconciler .")
    assert status["description"] == f"plan_hash {outputs['plan-hash']}"
    assert made.posts() == []


def test_neither_key_nor_token_is_in_any_output(world, runner):
    made = world(SEATS, **ACCOUNT)
    job = runner(made.folder)
    _, outputs = job.use(command="plan")
    written = [job.log, job.summary, Path(outputs["report"]).read_text("utf-8"), str(outputs)]
    assert not any("sk_test_emulator" in text or job.token in text for text in written)


def test_each_step_sees_the_token_only_if_it_asks_github(world, runner):
    made = world(SEATS, **ACCOUNT)
    job = runner(made.folder)
    job.use(command="plan")
    assert {name for name, seen in job.seen.items() if "GITHUB_TOKEN" in seen} == {"record"}


def test_what_a_review_approved_is_applied(approved, runner):
    made, plan_hash = approved()
    job = runner(made.folder, "push", {})
    passed, outputs = job.use(command="apply")
    assert passed, job.log
    assert (outputs["plan-hash"], len(made.posts())) == (plan_hash, 1)
    assert (Path(outputs["report"]).parent / "journal.jsonl").exists()


def test_an_account_that_moved_since_the_approval_is_not_written_to(approved, runner):
    """The report has the plan that would be applied now."""
    made, plan_hash = approved()
    edit = {"event_name": "seats", "display_name": "Chairs", **COUNTED}
    key = {"Authorization": "Bearer sk_test_emulator"}
    requests.post(f"{made.server.url}/v1/billing/meters", edit, headers=key).raise_for_status()
    job = runner(made.folder, "push", {})
    passed, outputs = job.use(command="apply")
    assert (passed, outputs["exit-code"], len(made.posts())) == (False, "3", 1)
    assert f"not the expected {plan_hash}" in outputs["failure-reason"]
    assert outputs["update"] == "1"
    assert "G016 seats::`seats`, approved → now: create → update" in job.log
    assert "create → update" in job.summary


@pytest.mark.parametrize("lost", ["expired", "denied", "broken"])
def test_without_the_approved_plan_it_is_not_shown_what_differs(lost, approved, runner, github):
    """Which changes nothing else; the plan that is approved is still applied."""
    made, plan_hash = approved()
    if lost == "denied":
        github.fail("GET", "/actions/artifacts", 403)
    for artifact in github.artifacts.values():
        artifact |= {"expired": lost == "expired", "broken": lost == "broken"}
    job = runner(made.folder, "push", {})
    passed, outputs = job.use(command="apply")
    assert (passed, outputs["plan-hash"], len(made.posts())) == (True, plan_hash, 1)
    noted = "::notice title=reconciler::If the plan is not the approved one" in job.log
    assert noted is (lost != "broken")


def test_a_plan_json_of_the_repository_is_not_the_approved_plan(approved, runner, github):
    """The artifact has expired: nothing is compared with a file of this name in the workspace."""
    made, _ = approved()
    for artifact in github.artifacts.values():
        artifact["expired"] = True
    edit = {"event_name": "seats", "display_name": "Chairs", **COUNTED}
    key = {"Authorization": "Bearer sk_test_emulator"}
    requests.post(f"{made.server.url}/v1/billing/meters", edit, headers=key).raise_for_status()
    job = runner(made.folder, "push", {})
    (job.workspace / "plan.json").write_text("{}", "utf-8")
    passed, outputs = job.use(command="apply")
    assert (passed, outputs["exit-code"], len(made.posts())) == (False, "3", 1)
    assert "G017" not in job.log


def test_an_account_without_a_review_is_not_written_to(approved, runner, github):
    """The status of the plan alone is no approval; another account has another status."""
    made, _ = approved()
    github.reviews = []
    job = runner(made.folder, "push", {}, bash=True)
    passed, outputs = job.use(command="apply")
    assert (passed, outputs["exit-code"], made.posts()) == (False, "3", [])
    reason = f"no review of #7 approves its head commit {HEAD[:12]}"
    assert f"::error title=reconciler::G015: {reason}" in job.log
    assert reason in job.summary.replace("`", "")


def test_a_plan_of_one_account_does_not_approve_another(approved, runner):
    made, _ = approved()
    job = runner(made.folder, "push", {})
    passed, outputs = job.use(command="apply", account="sandbox")
    assert (passed, outputs["exit-code"], made.posts()) == (False, "3", [])
    assert "no plan of commit" in job.log


def test_nothing_to_apply_needs_no_approval(world, runner):
    made = world(SEATS, {"meters": [existing("seats", "Seats")]}, **ACCOUNT)
    job = runner(made.folder, "push", {})
    passed, outputs = job.use(command="apply", args="--no-journal")
    assert (passed, outputs["exit-code"]) == (True, "0"), job.log


@pytest.mark.parametrize("failure", [401, 422])
def test_without_an_answer_of_github_nothing_is_approved(failure, approved, runner, github):
    made, _ = approved()
    github.fail("GET", "/pulls", failure)
    job = runner(made.folder, "push", {})
    passed, _ = job.use(command="apply")
    assert (passed, made.posts()) == (False, [])
    request = f"GET /repos/acme/billing/commits/{MERGED}/pulls"
    assert f"G015: {request}: GitHub answered {failure}" in job.log


def test_a_protected_environment_approves_by_the_hash_of_an_earlier_job(world, runner, github):
    made = world(SEATS, **ACCOUNT)
    push = runner(made.folder, "push", {})
    _, planned = push.use(command="plan")
    made.write(f"{SEATS}\n{CALLS}", **ACCOUNT)  # as if a meter had been edited since
    assert not push.use(command="apply", args=f"--expect={planned['plan-hash']}")[0]
    assert "G016 calls::`calls`, approved → now: no change → create\n" in push.log
    made.write(SEATS, **ACCOUNT)
    passed, applied = push.use(command="apply", args=f"--expect {planned['plan-hash']}")
    assert (passed, len(made.posts())) == (True, 1), push.log
    assert (github.requests, github.statuses) == ([], {})
    assert applied["plan-hash"] == planned["plan-hash"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("--expect=", "--expect has no plan_hash"),
        ("--expect ''", "--expect has no plan_hash"),
        ("--approved plan.json", "the Action sets it"),
        ("--plan plan.json", "a job of the pull request could have written the file"),
        ("--account x", "use the input `account`"),
        ("--only 'a", "cannot be split into words"),
    ],
)
def test_arguments_that_would_go_around_an_approval_are_refused(args, said, world, runner):
    made = world(SEATS, **ACCOUNT)
    job = runner(made.folder, "push", {})
    passed, outputs = job.use(command="apply", args=args)
    assert (passed, made.posts()) == (False, [])
    assert said in job.log
    assert outputs["report"] == ""


def test_a_word_of_the_arguments_is_no_shell(world, runner):
    made = world(f"{SEATS}\n{CALLS}", **ACCOUNT)
    job = runner(made.folder, "push", {})
    passed, outputs = job.use(command="plan", args="--only 'c*' --only '$(touch x)*`touch x`'")
    assert (passed, outputs["exit-code"]) == (False, "64")
    assert "--only '$(touch x)*`touch x`' matches no declared meter" in job.log
    assert not list(made.folder.glob("x"))


def test_a_fork_without_a_key_checks_the_files_and_says_so(world, runner, github):
    made = world(SEATS, **ACCOUNT)
    job = runner(made.folder, payload=FORK, SANDBOX_KEY="")
    passed, outputs = job.use(command="plan")
    assert (passed, outputs["exit-code"], outputs["plan-hash"]) == (True, "0", ""), job.log
    assert "::notice title=reconciler::This pull request comes from a fork" in job.log
    assert "not compared with the account" in job.summary
    assert (github.requests, len(made.server.log)) == ([], 0)


def test_the_files_of_a_fork_are_still_checked(world, runner):
    made = world("{event_name: a}", **ACCOUNT)
    job = runner(made.folder, payload=FORK, SANDBOX_KEY="")
    passed, outputs = job.use(command="plan")
    assert (passed, outputs["exit-code"]) == (False, "1")


@pytest.mark.parametrize(
    ("payload", "environ"),
    [
        ({"pull_request": {"head": {"sha": HEAD, "repo": None}}}, {}),
        ({"pull_request": PULL}, {"GITHUB_ACTOR": "dependabot[bot]"}),
    ],
    ids=["a fork that was deleted", "Dependabot"],
)
def test_other_pull_requests_without_secrets(payload, environ, world, runner):
    made = world(SEATS, **ACCOUNT)
    job = runner(made.folder, payload=payload, SANDBOX_KEY="", **environ)
    assert job.use(command="plan")[0], job.log


def test_a_review_approves_one_account_at_a_time(world, runner, github):
    made = world(SEATS, **ACCOUNT)
    other = f"production: {{api_key_env: LIVE_KEY, api_base: '{made.server.url}'}}"
    made.file("reconciler.yaml", f"{(made.folder / 'reconciler.yaml').read_text()}  {other}\n")
    job = runner(made.folder)
    job.use(command="plan", account="*")
    said = "eview approves the plan of one account"
    assert f"::warning title=reconciler::a r{said}: give each account" in job.log
    (status,) = github.statuses[HEAD]
    assert (status["state"], status["description"]) == ("failure", f"no plan: a r{said}")
    push = runner(made.folder, "push", {})
    passed, outputs = push.use(command="apply", account="*")
    assert (passed, outputs["exit-code"], made.posts()) == (False, "64", [])
    assert said in push.log


def test_a_plan_that_no_review_can_approve_is_a_warning(world, runner, github):
    made = world(SEATS)
    job = runner(made.folder)
    assert job.use(command="plan", comment="true")[0]
    assert "::warning title=reconciler::G014: no review can approve this plan" in job.log
    (body,) = github.own()
    assert ("`account_id`" in body, "--expect" in body) == (True, False)


def test_a_missing_key_of_a_branch_fails(world, runner, github):
    """Its plan is recorded as failed, so that an older one is not approved in its place."""
    made = world(SEATS, **ACCOUNT)
    job = runner(made.folder, SANDBOX_KEY="")
    passed, outputs = job.use(command="plan")
    assert (passed, outputs["exit-code"]) == (False, "6")
    assert outputs["failure-reason"].startswith("denied: S001")
    (status,) = github.statuses[HEAD]
    assert (status["state"], status["description"][:15]) == ("failure", "no plan: denied")


def test_a_token_that_cannot_write_statuses_is_a_warning(world, runner, github):
    made = world(SEATS, **ACCOUNT)
    github.fail("POST", "/statuses", 403)
    job = runner(made.folder)
    assert job.use(command="plan")[0]
    assert "::warning title=reconciler::The plan is not recorded on the commit" in job.log


def test_the_package_in_the_checkout_is_not_imported(world, runner):
    """A pull request could put one there."""
    made = world(SEATS, **ACCOUNT)
    for name in ("reconciler", "yaml"):
        made.folder.joinpath(name).mkdir()
        made.folder.joinpath(name, "__init__.py").write_text("raise SystemExit('planted')")
    job = runner(made.folder, bash=True)
    assert job.use(command="plan")[0], job.log


@pytest.mark.parametrize("command", ["list", ""])
def test_an_unknown_command_is_one_error(command, world, runner):
    made = world(SEATS)
    job = runner(made.folder)
    passed, outputs = job.use(command=command)
    assert (passed, outputs["exit-code"]) == (False, "64")
    assert job.log.count("::error") == 1
    assert "not one of validate, plan, apply, drift" in outputs["failure-reason"]


def test_every_step_of_a_shell_is_run_by_a_test():
    """The quick suite runs all but the installation, which has a test of its own."""
    shells = {step["id"] for step in ACTION["runs"]["steps"] if "run" in step}
    assert shells == {"install", "approve", "run", "record", "publish"}


def test_the_plan_is_a_comment_on_the_pull_request(world, runner, github):
    made = world(SEATS, **ACCOUNT)
    job = runner(made.folder, bash=True)
    passed, outputs = job.use(command="plan", comment="true")
    assert passed, job.log
    (comment,) = github.own()
    assert outputs["plan-hash"] in comment


def test_a_comment_goes_when_nothing_changes_if_asked(world, runner, github):
    seed = {"meters": [existing("seats", "Seats")]}
    made = world(f"{SEATS}\n{CALLS}", seed, **ACCOUNT)
    job = runner(made.folder)
    asked = {"command": "plan", "comment": "true", "when-unchanged": "delete"}
    assert job.use(**asked)[0]
    assert len(github.own()) == 1
    made.write(SEATS, **ACCOUNT)
    passed, outputs = job.use(**asked)
    assert (passed, outputs["changes"], github.own()) == (True, "0", []), job.log
    assert not job.use(**asked | {"when-unchanged": "never"})[0]
    assert "choose from" in job.log


def test_why_nothing_was_applied_is_a_comment_on_the_merged_pull_request(approved, runner, github):
    made, plan_hash = approved()
    github.reviews = []
    job = runner(made.folder, "push", {})
    passed, _ = job.use(command="apply", comment="true")
    (comment,) = github.own()
    assert (passed, plan_hash in comment) == (False, True), job.log
    assert made.posts() == []


def test_a_fork_gets_no_comment_and_is_told_so(world, runner, github):
    made = world(SEATS, **ACCOUNT)
    job = runner(made.folder, payload=FORK, SANDBOX_KEY="")
    assert job.use(command="plan", comment="true")[0], job.log
    assert "No comment was written" in job.log
    assert github.requests == []
