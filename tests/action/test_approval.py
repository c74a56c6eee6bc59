"""What counts as an approval of a plan."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from reconciler.action.approval import BOT, Approval, describe_plan, find_approval, name_status

MERGED, HEAD, OLDER = "a" * 40, "b" * 40, "c" * 40
CONTEXT = name_status("billing", ["production"])
PLANNED, REVIEWED, LATER = "2026-05-01T10:00:00Z", "2026-05-01T11:00:00Z", "2026-05-01T12:00:00Z"


def review(login="maya", state="APPROVED", commit=HEAD, at=REVIEWED, kind="User"):
    user = {"login": login, "type": kind}
    return {"user": user, "state": state, "commit_id": commit, "submitted_at": at}


def status(plan_hash="f00d", at=PLANNED, creator=BOT, context=CONTEXT):
    return {
        "created_at": at,
        "description": describe_plan(plan_hash),
        "creator": {"login": creator},
        "context": context,
    }


@dataclass
class Repository:
    """What GitHub says of pull request 7."""

    reviews: list
    statuses: list
    pulls: list
    readers: tuple

    def list_pulls(self, commit):
        assert commit == MERGED
        return self.pulls

    def read_head(self, number):
        assert number == 7
        return HEAD

    def list_reviews(self, number):
        assert number == 7
        return self.reviews

    def read_permission(self, login):
        return "read" if login in self.readers else "write"

    def list_statuses(self, commit):
        assert commit == HEAD
        return self.statuses


def decide(reviews=None, statuses=None, pulls=None, readers=("guest",)):
    merged = {"number": 7, "merge_commit_sha": MERGED, "merged_at": LATER}
    host = Repository(
        [review()] if reviews is None else reviews,
        [status()] if statuses is None else statuses,
        [merged] if pulls is None else pulls,
        readers,
    )
    return find_approval(host, MERGED, CONTEXT)


def test_a_review_of_the_head_commit_approves_the_plan_that_it_saw():
    """The newest before it: a plan that a later run made was not reviewed."""
    statuses = [status("5ee"), status("f00d", "2026-05-01T10:30:00Z"), status("bad", LATER)]
    assert decide(statuses=statuses) == Approval(plan_hash="f00d", pull_request=7)


@pytest.mark.parametrize(
    "reviews",
    [
        [],
        [review(commit=OLDER)],
        [review(state="COMMENTED")],
        [review(), review(state="DISMISSED")],
        [review(), review(state="CHANGES_REQUESTED")],
        [review(), review("omar", "CHANGES_REQUESTED")],
        [review("guest")],
        [{**review(), "user": None}],
        [review("github-actions[bot]", kind="Bot")],
    ],
    ids=[
        "none",
        "of an older commit",
        "a comment",
        "dismissed",
        "withdrawn",
        "somebody objects",
        "by one who may not write",
        "by a deleted user",
        "by a bot",
    ],
)
def test_nothing_else_is_an_approval(reviews):
    approval = decide(reviews)
    assert (approval.plan_hash, approval.pull_request) == ("", 7)
    assert approval.reason == f"no review of #7 approves its head commit {HEAD[:12]}"


@pytest.mark.parametrize(
    "reviews",
    [
        [review(), review("guest", "CHANGES_REQUESTED")],
        [review(state="CHANGES_REQUESTED"), review()],
        [review(), review(state="COMMENTED")],
    ],
)
def test_an_objection_that_does_not_count_or_was_taken_back_does_no_harm(reviews):
    assert decide(reviews).plan_hash == "f00d"


@pytest.mark.parametrize(
    "statuses",
    [
        [],
        [status(at=LATER)],
        [status(creator="mallory")],
        [status(context=name_status("billing", ["sandbox"]))],
        [{**status(), "description": "failed"}],
        [status(), {**status(at="2026-05-01T10:30:00Z"), "description": "failed"}],
    ],
    ids=["none", "made later", "of somebody", "of another account", "failed", "failed last"],
)
def test_a_review_without_a_plan_approves_nothing(statuses):
    approval = decide(statuses=statuses)
    assert approval.plan_hash == ""
    assert approval.reason == f"no plan of commit {HEAD[:12]} was made before the review of #7"


def test_two_reviews_of_different_plans_approve_neither():
    statuses = [status("5ee"), status("f00d", "2026-05-01T11:30:00Z")]
    approval = decide([review(), review("omar", at=LATER)], statuses)
    assert (approval.plan_hash, "different plans" in approval.reason) == ("", True)
    reason = f"the reviews of #7 approve different plans of commit {HEAD[:12]}"
    assert approval == Approval(pull_request=7, reason=reason)


def test_of_plans_of_the_same_second_the_later_status_counts():
    """Times have no fractions; ids grow. A plan of the second of the review was there to see."""
    statuses = [{**status("f00d", REVIEWED), "id": 2}, {**status("5ee", REVIEWED), "id": 1}]
    assert decide(statuses=statuses).plan_hash == "f00d"


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        [{"number": 7, "merge_commit_sha": MERGED, "merged_at": None}],
        [{"number": 7, "merge_commit_sha": OLDER, "merged_at": LATER}],
    ],
    ids=["pushed directly", "still open", "merged as another commit"],
)
def test_a_commit_that_no_pull_request_was_merged_as_is_not_approved(pulls):
    approval = decide(pulls=pulls)
    assert (approval.plan_hash, approval.pull_request) == ("", None)
    assert approval.reason == f"commit {MERGED[:12]} is not that of one merged pull request"
