"""`publish`: reports of real runs, posted to a fake GitHub and a fake GitLab over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from cli.world import CALLS, RETIRED, SEATS, existing
from publish.fake_host import OWN, TOKEN, FakeHost, serve
from published import held
from render.reports import many, partly_applied, plan

from reconciler.render import render

HEAD = "1f" * 20


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Iterator[FakeHost]:
    """A repository with a pull request 7, and the variables of a job of it."""
    with serve() as made:
        environment = {
            "GITHUB_API_URL": made.url,
            "GITHUB_TOKEN": TOKEN,
            "GITLAB_TOKEN": TOKEN,
            "GITHUB_REPOSITORY": "acme/billing",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": "5",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "CI_API_V4_URL": made.url,
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        event(tmp_path)
        yield made


def event(folder, head: str = "acme/billing", number: int | None = 7) -> None:
    """The event of the job: a pull request, or a push."""
    pull = {
        "number": number,
        "head": {"sha": HEAD, "repo": {"full_name": head}},
        "base": {"repo": {"full_name": "acme/billing"}},
    }
    data = {"pull_request": pull} if number else {"ref": "refs/heads/main"}
    (folder / "event.json").write_text(json.dumps(data))


@pytest.fixture
def report(tmp_path):
    """Write a report as the file of another job."""

    def write(made=None, name="report.json"):
        file = tmp_path / name
        file.write_text(render(made or plan(), "json"))
        return file

    return write


def posted(ran):
    return [(each["account"], each["action"]) for each in held(ran.out)["posted"]]


def test_a_change_from_the_pull_request_to_the_end_of_its_drift(host, world, run, tmp_path):
    """Open, comment, push, same comment, merge, apply, drift clean; then a hand edit."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    file = tmp_path / "report.json"

    def publish(target, command, *words):
        run(command, made.folder, "--out", f"json={file}", *words)
        return posted(run("publish", target, file, "--format", "json"))

    assert publish("github-comment", "plan") == [("sandbox", "created")]
    (first,) = host.own()
    line = first.splitlines()[1]
    assert line == "### Plan for `sandbox` · test mode · Planned: 1 update."
    assert ("Set `account_id` in the project file" in first, "--expect" in first) == (True, False)
    made.write(f"{SEATS}\n{CALLS}", account_id="acct_1EmulatedAccount")
    assert publish("github-comment", "plan") == [("sandbox", "updated")]
    (second,) = host.own()
    plan_hash = json.loads(file.read_text())["accounts"][0]["plan_hash"]
    assert f"```sh\nreconciler apply --account sandbox --expect {plan_hash}\n```" in second
    event(tmp_path, number=None)  # the push of the merge
    host.pulls = [{"number": 3}, {"number": 7, "merged_at": "2026-11-04T14:00:00Z"}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_SHA", "2e" * 20)
        approved = ("--yes", "--expect", plan_hash)
        assert publish("github-comment", "apply", *approved) == [("sandbox", "updated")]
    (third,) = host.own()
    assert "Apply complete: 2 changed." in third.splitlines()[1]

    assert publish("github-issue", "drift") == [("sandbox", "none")]
    made.write(f"{SEATS}\n{CALLS}".replace("Seats", "Chairs"))
    assert publish("github-issue", "drift") == [("sandbox", "created")]
    assert publish("github-issue", "drift") == [("sandbox", "unchanged")]
    made.write(f"{SEATS}\n{CALLS.replace('sum', 'count')}".replace("Seats", "Chairs"))
    assert publish("github-issue", "drift") == [("sandbox", "updated")]
    (issue,) = host.issues
    assert issue["title"] == "Meter drift in sandbox: 2 meters, high"
    assert [each["name"] for each in issue["labels"]] == ["meter-drift", "meter-drift-high"]
    assert publish("github-issue", "drift", "--account", "nobody") == [("", "kept")]
    assert issue["state"] == "open"
    made.write(f"{SEATS}\n{CALLS}")
    assert publish("github-issue", "drift") == [("sandbox", "closed")]
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    assert host.own()[-1].startswith("Closed: No drift. Checked at 20")
    assert "[this job](https://github.com/acme/billing/actions/runs/5)" in host.own()[-1]


def test_a_run_that_is_not_about_everything_closes_no_issue(host, world, run, tmp_path):
    made = world(f"{SEATS}\n{CALLS}", {"meters": [existing("calls", "Calls", "sum")]})
    file = tmp_path / "report.json"
    for words, action in (((), "created"), (("--only", "calls"), "kept")):
        run("drift", made.folder, "--out", f"json={file}", *words)
        ran = run("publish", "github-issue", file, "--format", "json")
        assert posted(ran) == [("sandbox", action)]
    assert host.issues[0]["title"] == "Meter drift in sandbox: 1 meter, revenue"


def test_lost_usage_of_no_meter_has_its_issue(host, world, run, tmp_path):
    """Where other projects share the account, it is a warning and no drift."""
    file, meters = tmp_path / "report.json", {"meters": [existing("seats", "Seats")]}
    for policy, action in (('{owns: ["*"]}', "none"), ("{}", "created")):
        made = world(SEATS, meters, policy=policy)
        usage = {"event_name": "saets", "payload": {"stripe_customer_id": "cus_1", "value": "1"}}
        made.server.edit("/v1/billing/meter_events", usage)
        made.server.clock.sleep(60)
        run("drift", made.folder, "--out", f"json={file}")
        ran = run("publish", "github-issue", file, "--format", "json")
        assert posted(ran) == [("sandbox", action)]
    (issue,) = host.issues
    assert issue["title"] == "Meter drift in sandbox: usage without a meter, revenue"
    assert "Drift: usage was sent under event_names that no meter has." in issue["body"]


def test_only_comments_of_the_owner_of_the_token_are_ours(host, report, run):
    """Another bot's look-alike stays, an older one of ours is hidden, the newest is updated."""
    assert run("publish", "github-comment", report()).code == 0
    (body,) = host.own()
    host.add_comment(body, "someone[bot]")
    host.add_comment(body, "mallory")
    newest = host.add_comment(f"{body.splitlines()[0]}\nold")
    host.add_comment(f"quoted:\n{body}")
    assert posted(run("publish", "github-comment", report(), "--format", "json")) == [
        ("production", "updated")
    ]
    assert newest["body"] == body
    assert host.hidden == [host.comments[0]["node_id"]]


def test_comments_on_every_page_are_seen_and_links_of_the_answer_are_not_followed(
    host, report, run
):
    host.page = 2
    for n in range(5):
        host.add_comment(f"{n}", "human")
    run("publish", "github-comment", report())
    assert posted(run("publish", "github-comment", report(), "--format", "json")) == [
        ("production", "unchanged")
    ]
    assert not [path for _, path in host.requests if "evil" in path]


def test_the_comment_is_removed_where_nothing_changes_and_kept_where_something_does(
    host, world, run, tmp_path, monkeypatch
):
    made = world(SEATS, {"meters": [existing("seats", "Seats")]})
    file = tmp_path / "report.json"
    monkeypatch.chdir(made.folder)

    def publish(*words):
        run("plan", "--out", f"json={file}")
        return posted(run("publish", "github-comment", file, *words, "--format", "json"))

    assert publish("--when-unchanged", "delete") == [("sandbox", "none")]
    assert publish("--when-unchanged", "update") == [("sandbox", "none")]
    assert host.writes() == []
    assert publish() == [("sandbox", "created")]
    assert publish("--when-unchanged", "delete") == [("sandbox", "deleted")]
    made.file("meters.yaml", "version: 1\nmeters: [{event_nmae: seats}]\n")
    assert publish("--when-unchanged", "delete") == [("", "created")]
    (body,) = host.own()
    link = f"https://github.com/acme/billing/blob/{HEAD}/meters.yaml#L2"
    assert f"]({link})" in body
    errors = body.count("🔴 **error**")
    first = "### Plan · Failed. Nothing was changed in Stripe."
    assert body.splitlines()[1] == f"{first}<br><sub>{errors} errors</sub>"
    made.write(SEATS)
    assert publish("--when-unchanged", "delete") == [("sandbox", "none")]
    assert host.own() == []


def test_a_plan_that_is_refused_is_not_to_be_applied(host, world, run, tmp_path):
    made = world(RETIRED, {"meters": [existing("seats", "Seats")]}, policy="{protect: [seats]}")
    file = tmp_path / "report.json"
    run("plan", made.folder, "--out", f"json={file}")
    run("publish", "github-comment", file)
    (body,) = host.own()
    assert "Refused" in body.splitlines()[1]
    assert "To apply exactly" not in body


def test_what_does_not_fit_is_said_and_is_no_approval(host, report, run):
    ran = run("publish", "github-comment", report(many(revenue=200, others=300)))
    assert (ran.code, "H008" in ran.out) == (0, True)
    (body,) = host.own()
    assert len(body) <= 65_536
    assert "cannot serve as approval" in body
    assert "To apply exactly" not in body


def test_each_project_and_account_has_its_own_comment(host, report, run):
    run("publish", "github-comment", report(), "--project", "eu")
    run("publish", "github-comment", report(), "--project", "us -->")
    run("publish", "github-comment", report())
    assert len(host.own()) == 3
    assert "us%20%2D%2D%3E" in host.own()[1]


FAULTS = {
    "502 of a read": (("GET", "comments", 502, 2), {}, 0),
    "429 with Retry-After": (("POST", "comments", 429, 1), {"Retry-After": "7"}, 0),
    "a secondary limit": (("POST", "comments", 403, 1), {"Retry-After": "60"}, 0),
    "a spent limit": (
        ("GET", "comments", 403, 1),
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1790000030"},
        0,
    ),
    "a limit for an hour": (("GET", "comments", 429, 1), {"Retry-After": "3600"}, 1),
    "403": (("POST", "comments", 403, 1), {}, 6),
    "401": (("POST", "graphql", 401, 1), {}, 6),
    "404": (("GET", "comments", 404, 1), {}, 1),
    "422": (("POST", "comments", 422, 1), {}, 1),
    "301": (("GET", "comments", 301, 9), {"Location": "https://evil.example/"}, 1),
    "502 for long": (("GET", "comments", 502, 9), {}, 1),
    "502 of the comment": (("POST", "comments", 502, 2), {}, 0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_passes_is_retried_and_the_rest_is_one_clear_error(name, host, report, run, clock):
    """Without the token, which the answer quotes, and never with two comments."""
    words, headers, code = FAULTS[name]
    host.add_comment("hello", "human")
    host.fail(*words, headers=headers)
    ran = run("publish", "github-comment", report(), "--format", "json", "-vv")
    assert (ran.code, len(host.own())) == (code, int(code == 0))
    assert TOKEN not in ran.out + ran.err
    if code:
        (said,) = held(ran.out)["diagnostics"]
        assert said["code"] == {1: "H006", 6: "H005"}[code]
        assert ("if the repository was renamed" in said["hint"]) is (name == "301")
    if wait := headers.get("Retry-After") if not code else None:
        assert float(wait) in clock.slept


def test_a_comment_whose_answer_was_lost_is_not_posted_twice(host, report, run):
    host.fail("POST", "comments", 502, after=True)
    assert run("publish", "github-comment", report()).code == 0
    assert len(host.own()) == 1


def test_an_issue_whose_answer_was_lost_is_not_opened_twice(host, run, world, tmp_path):
    made = world(SEATS, {"meters": []})
    run("drift", made.folder, "--out", f"json={tmp_path / 'report.json'}")
    host.fail("POST", "issues", 502, after=True)
    assert run("publish", "github-issue", tmp_path / "report.json").code == 0
    assert len(host.issues) == 1


def test_an_outdated_comment_that_cannot_be_hidden_is_a_warning(host, report, run):
    run("publish", "github-comment", report())
    host.add_comment(host.own()[0])
    host.may_hide = False
    ran = run("publish", "github-comment", report(), "--format", "json")
    assert (ran.code, posted(ran)) == (0, [("production", "unchanged")])
    (said,) = held(ran.out)["diagnostics"]
    assert (said["code"], said["level"]) == ("H005", "warning")
    assert said["message"].startswith("an outdated comment stays visible: ")


def test_a_fork_says_what_it_could_not_do_and_does_not_fail(host, report, run, tmp_path):
    event(tmp_path, head="mallory/billing")
    host.may_write = False
    ran = run("publish", "github-comment", report(), "--format", "json")
    assert (ran.code, posted(ran)) == (0, [("production", "none")])
    (said,) = held(ran.out)["diagnostics"]
    assert (said["code"], said["level"]) == ("H007", "warning")
    assert said["message"].startswith("nothing was posted: ")
    event(tmp_path)
    assert run("publish", "github-comment", report()).code == 6


def test_a_note_on_gitlab_is_updated_in_place(host, report, run):
    first = run("publish", "gitlab-note", report(), "--format", "json")
    assert posted(first) == [("production", "created")]
    host.add_comment(host.own()[0], "mallory")
    old = host.add_comment(f"{host.own()[0].splitlines()[0]}\nold")
    assert posted(run("publish", "gitlab-note", report(), "--format", "json")) == [
        ("production", "updated")
    ]
    assert [each["id"] for each in host.comments if each["user"]["login"] == OWN] == [old["id"]]
    host.may_write = False
    assert run("publish", "gitlab-note", report(plan()), "--number", "8").code == 6


NOTE_FAULTS = {
    "502 of a read": (("GET", "notes", 502, 2), {}, 0),
    "502 of the note": (("POST", "notes", 502, 2), {}, 0),
    "429 with Retry-After": (("POST", "notes", 429, 1), {"Retry-After": "7"}, 0),
    "429 with a reset": (("GET", "notes", 429, 1), {"RateLimit-Reset": "1790000030"}, 0),
    "401": (("GET", "notes", 401, 1), {}, 6),
    "403": (("POST", "notes", 403, 1), {}, 6),
    "404": (("GET", "notes", 404, 1), {}, 1),
    "422": (("POST", "notes", 422, 1), {}, 1),
    "502 for long": (("GET", "notes", 502, 9), {}, 1),
}


@pytest.mark.parametrize("name", NOTE_FAULTS)
def test_gitlab_may_fail_as_github_may(name, host, report, run, clock):
    """What passes is retried, with never two notes; the rest is one error without the token."""
    words, headers, code = NOTE_FAULTS[name]
    host.add_comment("hello", "human")
    host.fail(*words, headers=headers)
    ran = run("publish", "gitlab-note", report(), "--format", "json", "-vv")
    assert (ran.code, len(host.own())) == (code, int(code == 0))
    assert TOKEN not in ran.out + ran.err
    if code:
        (said,) = held(ran.out)["diagnostics"]
        assert said["code"] == {1: "H006", 6: "H005"}[code]
        assert "GitLab" in said["message"]
    if wait := headers.get("Retry-After"):
        assert float(wait) in clock.slept


@pytest.mark.parametrize(("method", "notes"), [("POST", 0), ("PUT", 1)])
def test_a_note_whose_answer_was_lost_is_not_posted_twice(method, notes, host, report, run):
    if notes:
        run("publish", "gitlab-note", report(partly_applied()))
    host.fail(method, "notes", 502, after=True)
    assert run("publish", "gitlab-note", report()).code == 0
    (body,) = host.own()
    assert body.splitlines()[1].startswith("### Plan for `production`")


WRONG = {
    "no target": ([], 64, "the target is missing"),
    "misspelt": (["github-coment", "r.json"], 64, "did you mean github-comment?"),
    "no report": (["github-comment"], 64, "the file of the report is missing"),
    "no file": (["github-comment", "nothing.json"], 1, "cannot be read"),
    "twice": (["github-comment", "report.json", "report.json"], 1, "and so is"),
    "repository": (["github-comment", "report.json", "--repository", "a/../b"], 1, "OWNER/NAME"),
    "not drift": (["github-issue", "report.json"], 1, "this is a report of plan"),
    "no token": (["github-comment", "report.json", "--token-env", "NOT_SET"], 6, "NOT_SET"),
    "empty token": (["github-comment", "report.json", "--token-env", "EMPTY"], 6, "is empty"),
    "number": (["github-comment", "report.json", "--number", "x"], 64, "not a whole number"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_command_line_is_one_clear_error(name, host, report, run, tmp_path, monkeypatch):
    words, code, message = WRONG[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMPTY", " ")
    report()
    ran = run("publish", *words)
    assert (ran.code, message in ran.out) == (code, True), ran.out
    assert host.requests == []


@pytest.mark.parametrize("url", ["http://api.github.com", "https://x@evil.example", "ftp://a", "x"])
def test_the_token_is_sent_to_no_other_address(url, host, report, run, monkeypatch):
    monkeypatch.setenv("GITHUB_API_URL", url)
    ran = run("publish", "github-comment", report())
    assert (ran.code, "H004" in ran.out) == (1, True)


def test_a_push_that_belongs_to_no_pull_request_is_an_error(host, report, run, tmp_path):
    event(tmp_path, number=None)
    ran = run("publish", "github-comment", report())
    assert (ran.code, "H002" in ran.out) == (1, True)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pull_request": 1}'])
def test_a_strange_event_is_no_traceback(text, host, report, run, tmp_path):
    (tmp_path / "event.json").write_text(text)
    ran = run("publish", "github-comment", report())
    assert (ran.code, "H002" in ran.out) == (1, True)


def test_the_joined_report_of_shards_is_published_with_what_is_missing(host, fleet):
    fleet.report("s", "plan", "--shard", "2/3")
    fleet.merge(fleet.folder / "s.json", "--out", f"json={fleet.folder / 'm.json'}")
    assert fleet.run("publish", "github-comment", fleet.folder / "m.json").code == 0
    assert "no report of shards 1/3, 3/3" in host.own()[0]
