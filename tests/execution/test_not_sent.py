"""What was not sent, and what an earlier try may have done before the last one was refused."""

from __future__ import annotations

import pytest
from builders.account import Account, lost, raising, refused, run_of, then
from builders.stage import context
from builders.worlds import declare, existing, lines

from reconciler.diagnostics.errors import Exit, StoppedError
from reconciler.execution.execute_step import execute_step
from reconciler.execution.steps import list_steps


def created(*script, **more):
    """A create, settled; its account, and its notebook."""
    account = Account([], *script)
    run = run_of(account, *lines([declare()], []), **more)
    ((step,),) = list_steps(run.plan).values()
    return execute_step(step, None, run), account, run.journal


def test_a_stop_after_the_intention_is_written_down_as_not_sent():
    """Else a reader of the journal would think that the request may have had an effect."""
    part, _, journal = created(raising(StoppedError()))
    assert (str(part.status), part.sent) == ("skipped", ())
    assert [word for word, *_ in journal.changes] == ["request", "not_sent"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [(lost(429), "skipped"), (lost(429, attempts=2, doubts=1), "done"), (lost(500), "done")],
)
def test_a_stop_after_an_answer_skips_only_what_had_no_effect(answer, status):
    on_result = []
    part, *_ = created(then(answer, lambda _: on_result.append(1)), stopped=lambda: bool(on_result))
    assert str(part.status) == status


@pytest.mark.parametrize("code", [401, 403])
def test_a_key_revoked_between_two_attempts_proves_nothing_about_the_first(code):
    """The account is read, as after any indeterminate answer."""

    def late(account, step):
        account.obey(step)
        return refused(code, attempts=2, doubts=1)(account, step)

    part, account, _ = created(late)
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
