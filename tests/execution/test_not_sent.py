"""A stop or a rejection after an attempt that may have had an effect."""

from __future__ import annotations

import pytest
from builders.emulated import context
from builders.fake_account import Account, followed_by, lost_request, rejected, run_of
from builders.meters import decide_all, declare, existing

from reconciler.diagnostics.errors import Exit
from reconciler.execution.execute_step import execute_step
from reconciler.execution.steps import list_steps


def created(*script, **more):
    """The result of a create, and its account."""
    account = Account([], *script)
    run = run_of(account, *decide_all([declare()], []), **more)
    ((step,),) = list_steps(run.plan).values()
    return execute_step(step, None, run), account


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lost_request(429), "skipped"),
        (lost_request(429, attempts=2, doubts=1), "done"),
        (lost_request(500), "done"),
    ],
)
def test_a_stop_after_an_answer_skips_only_what_had_no_effect(answer, status):
    on_result = []
    part, *_ = created(
        followed_by(answer, lambda _: on_result.append(1)), stopped=lambda: bool(on_result)
    )
    assert str(part.status) == status


@pytest.mark.parametrize("code", [401, 403])
def test_a_key_revoked_between_two_attempts_proves_nothing_about_the_first(code):
    """The account is read, as after any indeterminate answer."""

    def late(account, step):
        account.obey(step)
        return rejected(code, attempts=2, doubts=1)(account, step)

    part, account = created(late)
    assert part.existing is not None
    assert part.status.succeeded
    assert account.looks == ["find"]


def test_a_plan_can_be_applied_again_after_an_outage():
    """Its keys return the old failures for a day; the next ones do not."""
    with context([existing()], declared=[declare(display="New")]) as it:
        planned = it.plan()
        for _ in range(3):
            it.server.arm("500:before:method=POST")
            assert it.apply(planned).exit_code is Exit.PARTIAL
            it.server.disarm()
        assert it.apply(planned).exit_code is Exit.DONE
