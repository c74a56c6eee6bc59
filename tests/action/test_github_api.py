"""The calls of GitHub's API: pages, retries, and errors without the token."""

from __future__ import annotations

import pytest
from action.fake_github import REPOSITORY, FakeGitHub

from reconciler.action.github_api import Repository
from reconciler.diagnostics.errors import AuthError, ReconcilerError


def connect(github: FakeGitHub, clock, **environ: str) -> Repository:
    known = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": REPOSITORY}
    return Repository({**known, "GITHUB_TOKEN": github.token, **environ}, clock)


@pytest.mark.parametrize("entries", [0, 99, 100, 101])
def test_all_pages_of_a_list_are_read(entries, github, clock):
    github.answers["/pulls/7/reviews"] = [{"id": number} for number in range(entries)]
    assert len(connect(github, clock).get("/pulls/7/reviews")) == entries


def test_a_list_without_end_is_refused(github, clock, monkeypatch):
    monkeypatch.setattr("reconciler.action.github_api._MOST_PAGES", 2)
    github.answers["/pulls/7/reviews"] = [{}] * 201
    with pytest.raises(ReconcilerError, match="more than 200 entries"):
        connect(github, clock).get("/pulls/7/reviews")


def test_outages_and_limits_are_waited_for(github, clock):
    """GitHub limits with 403 or 429, and says how long."""
    github.answers["/pulls/7"] = {"number": 7}
    github.failures = [(502, {}), (403, {"Retry-After": "30"}), (429, {})]
    assert connect(github, clock).get("/pulls/7") == {"number": 7}
    assert clock.slept == [1.0, 30.0, 16.0]


@pytest.mark.parametrize(
    ("failures", "kind", "said"),
    [
        ([(403, {})], AuthError, "HTTP 403"),
        ([(404, {})], AuthError, "HTTP 404"),
        ([(422, {})], ReconcilerError, "HTTP 422"),
        ([(502, {})] * 4, ReconcilerError, "HTTP 502"),
        ([(302, {"Location": "/elsewhere"})], ReconcilerError, "HTTP 302"),
    ],
)
def test_errors_name_the_request_and_not_the_token(failures, kind, said, github, clock):
    github.failures = list(failures)
    with pytest.raises(kind) as caught:
        connect(github, clock).get("/pulls/7")
    assert caught.value.diagnostics[0].message == f"GET /pulls/7: {said}"
    assert len(github.requests) == len(failures)


def test_a_wrong_token_is_not_repeated_in_the_error(github, clock):
    with pytest.raises(AuthError) as caught:
        connect(github, clock, GITHUB_TOKEN="ghs_wrong").get("/pulls/7")
    assert "ghs_wrong" not in str(caught.value)


def test_the_token_is_sent_to_https_or_loopback_only(github, clock):
    with pytest.raises(ReconcilerError, match="not an https address"):
        connect(github, clock, GITHUB_API_URL="http://github.example.com")


def test_a_github_that_does_not_answer_is_an_error(github, clock):
    github.close()
    with pytest.raises(ReconcilerError, match="ConnectionError"):
        connect(github, clock).get("/pulls/7")
    assert len(clock.slept) == 3
