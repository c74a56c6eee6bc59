"""From the pull request to the drift issue: a real repository, the Action, GitHub, the account."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests
from action.repository import Repository
from cli.world import CALLS, SEATS, World, existing

ID, OTHER = "acct_1EmulatedAccount", "acct_1Production"
OLD = SEATS.replace("Seats", "Old")


@pytest.fixture
def story(world, runner, github):
    """`story(meters)`: a repository whose project declares the one meter that the account has."""

    def build(**account) -> tuple[Repository, World]:
        seed = {"meters": [existing("seats", "Old", id="mtr_s")]}
        at_root = world(OLD, seed)
        for file in at_root.folder.iterdir():
            file.unlink()
        made = replace(at_root, folder=at_root.folder / "billing")
        made.folder.mkdir()
        made.write(OLD, account_id=ID, **account)
        repository = Repository(at_root.folder, github, runner)
        repository.git("init", "--quiet")
        repository.commit()
        return repository, made

    return build


def get_heading(body):
    """The first line that is shown."""
    return next(line for line in body.splitlines() if line.startswith("#"))


def edit(made, action="", **fields):
    """Change the meter in the account, by hand."""
    url = f"{made.server.url}/v1/billing/meters/mtr_s{action}"
    headers = {
        "Authorization": "Bearer sk_test_emulator",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    requests.post(url, fields, headers=headers, timeout=9).raise_for_status()


def test_from_the_pull_request_to_the_end_of_a_drift(story, github):
    repository, made = story()
    new = f"{SEATS}\n{CALLS}"
    repository.open_pull(7, lambda: made.write(CALLS, account_id=ID))
    passed, first = repository.run_on_pull(7, command="plan")
    (comment,) = github.comments
    assert (passed, first["create"], first["unmanaged"]) == (True, "1", "1"), repository.jobs[
        -1
    ].log
    assert "## Plan for `sandbox`" in comment["body"]

    repository.push(7, lambda: made.write(new, account_id=ID))
    passed, second = repository.run_on_pull(7, command="plan")
    assert (passed, second["update"], second["create"]) == (True, "1", "1")
    assert (github.comments, second["plan-hash"] in comment["body"]) == ([comment], True)
    assert second["plan-hash"] != first["plan-hash"]

    repository.approve(7)
    repository.merge(7, squash=True)
    passed, applied = repository.run_on_main(command="apply")
    assert (passed, applied["plan-hash"]) == (True, second["plan-hash"]), repository.jobs[-1].log
    assert (len(made.posts()), github.comments) == (2, [comment])
    assert "Apply complete: 2 changed." in get_heading(comment["body"])

    passed, again = repository.run_on_main(command="apply")  # the same job, run again
    assert (passed, again["exit-code"], len(made.posts())) == (True, "0", 2)

    drift = {"event": "schedule", "command": "drift"}
    passed, outputs = repository.run_on_main(**drift)
    assert (passed, outputs["exit-code"], github.issues) == (True, "0", [])

    edit(made, display_name="Hand")
    passed, outputs = repository.run_on_main(**drift)
    (issue,) = github.issues
    assert (passed, outputs["exit-code"], outputs["findings"]) == (False, "2", "1")
    assert issue["title"] == "Meter drift in sandbox: 1 meter, low"

    edit(made, "/deactivate")
    repository.run_on_main(**drift)
    assert github.issues == [issue]
    assert issue["title"] == "Meter drift in sandbox: 1 meter, revenue"

    edit(made, "/reactivate")
    edit(made, display_name="Seats")
    passed, _ = repository.run_on_main(**drift)
    assert (passed, issue["state"], issue["state_reason"]) == (True, "closed", "completed")
    assert github.own()[-1].startswith("Closed: No drift.")


def test_an_account_that_moves_between_approval_and_merge(story, github):
    """Nothing is written, and the pull request says what differs; the next one applies it."""
    repository, made = story()
    repository.open_pull(7, lambda: made.write(SEATS, account_id=ID))
    _, planned = repository.run_on_pull(7, command="plan")
    repository.approve(7)
    edit(made, display_name="Hand")
    repository.merge(7, squash=False)
    passed, outputs = repository.run_on_main(command="apply")
    assert (passed, outputs["exit-code"], len(made.posts())) == (False, "3", 1)
    assert f"not the expected {planned['plan-hash']}" in outputs["failure-reason"]
    (body,) = github.own()
    assert "Refused. Nothing was changed in Stripe." in get_heading(body)
    assert 'G016: `seats`, approved → now: meters.mtr_s.display_name: "Old" → "Hand"' in body
    assert repository.run_on_main(command="apply")[1]["exit-code"] == "3"

    repository.open_pull(8, lambda: made.write(f"{SEATS} # again", account_id=ID))
    passed, planned = repository.run_on_pull(8, command="plan")
    repository.approve(8)
    repository.merge(8, squash=False)
    passed, applied = repository.run_on_main(command="apply")
    assert (passed, applied["plan-hash"]) == (True, planned["plan-hash"]), repository.jobs[-1].log
    assert len(made.posts()) == 2
    assert [each["thread"] for each in github.comments] == [7, 8]


def test_a_pull_request_from_a_fork(story, github):
    """It gets no key and a token that reads: its files are checked, and nothing is approved."""
    repository, made = story()
    repository.open_pull(7, lambda: made.write(SEATS, account_id=ID), origin="mallory/billing")
    github.may_write = False
    passed, outputs = repository.run_on_pull(7, key=False, command="plan")
    assert (passed, outputs["plan-hash"]) == (True, ""), repository.jobs[-1].log
    assert "not compared with the account" in repository.jobs[-1].summary
    assert github.requests == []
    github.may_write = True
    repository.approve(7)
    repository.merge(7, squash=True)
    passed, outputs = repository.run_on_main(command="apply")
    assert (passed, outputs["exit-code"], made.posts()) == (False, "3", [])
    job, reason = repository.jobs[-1], "was made before the review of"
    assert outputs["failure-reason"].startswith("refused: G015: no plan of commit ")
    assert (reason in job.log, reason in job.summary) == (True, True)
    (body,) = github.own()
    assert ("Refused" in get_heading(body), "G010" in body) == (True, False)
    assert "G015: no plan of commit" in body


def test_two_accounts(story, github, world):
    """Each has its plan and its comment; production is approved in its environment, and moved."""
    repository, made = story()
    seed = {"account": {"id": OTHER}, "meters": [existing("seats", "Old", id="mtr_s")]}
    production = world(OLD, seed)

    def write(meters):
        made.write(meters, account_id=ID)
        reached = f"api_key_env: LIVE_KEY, api_base: '{production.server.url}'"
        entry = f"{{{reached}, account_id: {OTHER}}}"
        project = (made.folder / "reconciler.yaml").read_text()
        made.file("reconciler.yaml", f"{project}  production: {entry}\n")

    for file in ("reconciler.yaml", "meters.yaml"):  # which the world writes to its own folder
        (production.folder / file).unlink()
    repository.open_pull(7, lambda: write(SEATS))
    for account in ("sandbox", "production"):
        assert repository.run_on_pull(7, command="plan", account=account)[0], repository.jobs[
            -1
        ].log
    first, second = github.comments
    assert ("`sandbox`" in first["body"], "`production`" in second["body"]) == (True, True)
    repository.approve(7)
    repository.merge(7, squash=True)
    passed, _ = repository.run_on_main(command="apply", account="sandbox")
    assert (passed, len(made.posts())) == (True, 1), repository.jobs[-1].log
    assert "Apply complete: 1 changed." in first["body"]

    given = {"account": "production", "run": "900"}
    _, planned = repository.run_on_main(command="plan", comment="false", **given)
    edit(production, display_name="Hand")
    expected = f"--expect {planned['plan-hash']}"
    passed, outputs = repository.run_on_main(command="apply", args=expected, **given)
    assert (passed, outputs["exit-code"], len(production.posts())) == (False, "3", 1)
    assert ("Apply complete" in first["body"], "G016" in second["body"]) == (True, True)
    assert github.comments == [first, second]


SPENT = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1790000030"}
ANSWERS = {
    "reviews limited": ("GET", "/reviews", 403, SPENT, True, "Apply complete"),
    "statuses down": ("GET", "/statuses", 502, {}, True, "Apply complete"),
    "reviews missing": ("GET", "/reviews", 404, {}, False, "G015: GET"),
    "pulls denied": ("GET", "/pulls", 403, {}, False, "G015: GET"),
    "comment limited": ("PATCH", "/comments", 403, {"Retry-After": "7"}, True, "Apply complete"),
    "comment invalid": ("PATCH", "/comments", 422, {}, None, "H006"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_github(name, story, github):
    """What passes is waited for; without an answer nothing is approved, and nothing written."""
    method, path, status, headers, expected, said = ANSWERS[name]
    repository, made = story()
    repository.open_pull(7, lambda: made.write(SEATS, account_id=ID))
    repository.run_on_pull(7, command="plan")
    repository.approve(7)
    repository.merge(7, squash=True)
    github.fail(method, path, status, headers=headers)
    passed, outputs = repository.run_on_main(command="apply")
    log = repository.jobs[-1].log
    applied = expected is not False  # that a comment is missing fails a job that has applied
    assert (passed, outputs["exit-code"]) == (bool(expected), "0" if applied else "3"), log
    assert len(made.posts()) == int(applied)
    assert said in log
    assert github.faults[0].times == [0]
    assert repository.jobs[-1].token not in log
