"""What a record of a request proves."""

from __future__ import annotations

import pytest

from reconciler.model.request import Outcome, RequestRecord, may_have_effect, outcome_of

CONFIRMED, REJECTED, INDETERMINATE = Outcome


OPEN = [None, 103, 199, 300, 302, 405, 409, 424, 429, 499, 500, 503, 599]


@pytest.mark.parametrize(
    ("outcome", "posted", "statuses"),
    [
        (CONFIRMED, False, [200, 201, 204, 299]),
        (CONFIRMED, True, [200, 201, 204, 299]),
        (REJECTED, False, [400, 401, 402, 403, 404]),
        (REJECTED, True, [400, 402, 404]),
        (INDETERMINATE, False, OPEN),
        (INDETERMINATE, True, [*OPEN, 401, 403]),
    ],
)
def test_a_status_proves_an_outcome(outcome, posted, statuses):
    assert {outcome_of(status, posted=posted) for status in statuses} == {outcome}


@pytest.mark.parametrize("posted", [False, True])
def test_some_statuses_leave_an_effect_open(posted):
    """Not a rate limit, nor what is decided before anything is executed."""
    assert all(may_have_effect(status, posted=posted) for status in (None, 409, 500, 503, 599))
    assert not any(may_have_effect(n, posted=posted) for n in (200, 400, 402, 404, 424, 429, 499))
    assert {may_have_effect(status, posted=posted) for status in (401, 403)} == {posted}


def test_a_denial_without_effect_leaves_earlier_doubts():
    record = RequestRecord("update", None, 2, INDETERMINATE, 401, doubts=2)
    assert record.without_effect() == RequestRecord("update", None, 2, INDETERMINATE, 401, doubts=1)


def test_a_denial_without_effect_and_without_doubts_is_a_rejection():
    record = RequestRecord("update", None, 1, INDETERMINATE, 403, doubts=1)
    assert record.without_effect() == RequestRecord("update", None, 1, Outcome.REJECTED, 403)


@pytest.mark.parametrize(
    ("result", "status", "more", "properties"),
    [
        (CONFIRMED, 200, {}, "fresh wrote effect"),
        (CONFIRMED, 200, {"replayed": True}, "wrote effect"),
        (CONFIRMED, 200, {"replayed": True, "doubts": 1}, "wrote effect"),
        (REJECTED, 400, {}, "final effect"),
        (REJECTED, 400, {"doubts": 1}, "final wrote effect"),
        (REJECTED, 400, {"replayed": True}, "effect"),
        (INDETERMINATE, 401, {"doubts": 1}, "final denied wrote effect"),
        (INDETERMINATE, 403, {"doubts": 1, "replayed": True}, "denied wrote effect"),
        (REJECTED, 403, {}, "final denied effect"),
        (INDETERMINATE, 429, {}, ""),
        (INDETERMINATE, 500, {"doubts": 1}, "wrote effect"),
        (INDETERMINATE, 500, {"doubts": 1, "replayed": True}, "wrote effect"),
    ],
)
def test_a_record_says_what_follows_from_it(result, status, more, properties):
    record = RequestRecord("update", result=result, status=status, **more)
    found = {
        "fresh": record.is_fresh(),
        "final": record.is_final(),
        "denied": record.is_denied(),
        "wrote": record.wrote,
        "effect": record.may_be_in_effect(),
    }
    assert " ".join(name for name, holds in found.items() if holds) == properties


def test_a_record_is_written_to_the_log():
    record = RequestRecord("GET /v1/x", "req_1", 2, INDETERMINATE, 500, replayed=True)
    assert str(record) == "GET /v1/x: 500, req_1, attempt 2, a stored response"
    lost = RequestRecord("GET /v1/x", result=INDETERMINATE)
    assert str(lost) == "GET /v1/x: no response"
