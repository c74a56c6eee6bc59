"""What lines, outcomes and problems add up to: one exit code."""

from __future__ import annotations

import pytest
from builders.meters import decide_all, declare, existing, inactive, retire
from msgspec.structs import replace

from reconciler.diagnostics.codes import applying, guards, planning
from reconciler.diagnostics.diagnostic import Diagnostic, Level
from reconciler.diagnostics.errors import Exit, select_worst
from reconciler.model.finding import DriftEntry, Severity
from reconciler.model.match import match_meters
from reconciler.model.request import Outcome, RequestRecord
from reconciler.operations.verify import describe_verification, is_fulfilled
from reconciler.report.exit_code import (
    exit_code_for_apply,
    exit_code_for_drift,
    exit_code_for_plan,
    exit_code_for_verification,
)
from reconciler.report.report import ChangeResult, ReportedChange, ResultStatus

UPDATE, BLOCKED, SAME = decide_all(
    [declare(display="New"), declare("odd", window="day"), declare("same")],
    [existing(), existing("mtr_b", "odd"), existing("mtr_c", "same")],
)
REFUSED = replace(UPDATE, refused_by=("G001",))
STOP = guards.TOO_MANY_DEACTIVATIONS("too many")
WARNING = planning.GAP("a gap")


@pytest.mark.parametrize(
    ("changes", "diagnostics", "exit_code"),
    [
        ([], [], Exit.DONE),
        ([UPDATE, SAME], [WARNING], Exit.DONE),
        ([BLOCKED], [], Exit.REFUSED),
        ([UPDATE, REFUSED], [STOP], Exit.REFUSED),
        ([SAME], [guards.WRONG_MODE("the other")], Exit.REFUSED),
        ([SAME], [planning.DIFFERS("an error, but of the plan")], Exit.DONE),
    ],
)
def test_a_plan_exits_3_when_anything_is_blocked_or_refused(changes, diagnostics, exit_code):
    """Or when it is the wrong account or mode, even without changes."""
    assert exit_code_for_plan(changes, diagnostics) is exit_code


def ended(status, *, wrote=None, code=None, line=UPDATE):
    """A line with its outcome; `wrote` None is a line for which nothing was sent."""
    result = Outcome.CONFIRMED if wrote else Outcome.REJECTED
    sent = () if wrote is None else (RequestRecord("update", "req_1", 1, result),)
    error = code and code("why")
    return ReportedChange(line, ChangeResult(ResultStatus(status), sent, error))


DONE = ended("done", wrote=True)
ALREADY = ended("already", wrote=False)
FAILED = ended("failed", wrote=False, code=applying.REJECTED_BY_API)
DENIED = ended("failed", wrote=False, code=applying.NOT_ALLOWED)
LOST = ended("failed", wrote=True, code=applying.REJECTED_BY_API)
STALE = ended("stale", code=applying.STALE_CHANGE)
UNKNOWN = ended("unknown", code=applying.UNEXPECTED)
SKIPPED = ended("skipped", code=applying.AFTER_FAILURE)
LEFT_OUT = ended("skipped", code=applying.CHANGE_REFUSED, line=REFUSED)
NOTHING = ReportedChange(SAME)


@pytest.mark.parametrize(
    ("every", "exit_code"),
    [
        ([], Exit.DONE),
        ([NOTHING, DONE, ALREADY], Exit.DONE),
        ([DONE, LEFT_OUT], Exit.DONE),
        ([FAILED, NOTHING], Exit.FAILED),
        ([FAILED, ALREADY, SKIPPED], Exit.FAILED),
        ([DONE, FAILED], Exit.PARTIAL),
        ([LOST], Exit.PARTIAL),
        ([UNKNOWN], Exit.PARTIAL),
        ([UNKNOWN, SKIPPED], Exit.PARTIAL),
        ([STALE], Exit.STALE),
        ([STALE, SKIPPED], Exit.STALE),
        ([STALE, FAILED], Exit.FAILED),
        ([STALE, DONE], Exit.PARTIAL),
        ([DENIED], Exit.DENIED),
        ([DENIED, SKIPPED], Exit.DENIED),
        ([DENIED, STALE], Exit.DENIED),
        ([DENIED, FAILED], Exit.FAILED),
        ([DENIED, DONE], Exit.PARTIAL),
        ([SKIPPED], Exit.FAILED),
        ([SKIPPED, DONE], Exit.PARTIAL),
    ],
)
def test_the_exit_code_of_an_apply(every, exit_code):
    """5 as soon as something may have been written and not all is done, else the cause."""
    assert exit_code_for_apply(every) is exit_code
    assert exit_code_for_apply(every[::-1]) is exit_code


@pytest.mark.parametrize("also", list(Exit))
def test_what_else_happened_counts_too(also):
    """A refused plan, an interrupt: the first of the order of the design."""
    order = [130, 64, 5, 1, 6, 3, 4, 2, 0]
    for other, line in ((Exit.DONE, DONE), (Exit.PARTIAL, UNKNOWN), (Exit.STALE, STALE)):
        expected = min((int(also), int(other)), key=order.index)
        assert exit_code_for_apply([line], also) == expected
    assert select_worst([also, Exit.DONE]) is also


@pytest.mark.parametrize(("level", "exit_code"), [(Level.ERROR, 1), (Level.WARNING, 0)])
def test_an_audit_that_met_an_error_has_failed(level, exit_code):
    """What was found counts for more, and nothing was found."""
    said = Diagnostic("D011", level, "the prices could not be read")
    assert exit_code_for_drift([DriftEntry(event_name="calls")], [said], Severity.LOW) == exit_code


@pytest.mark.parametrize(
    ("every", "unmet", "exit_code"),
    [
        ([DONE], (), Exit.DONE),
        ([DONE], (DONE,), Exit.PARTIAL),
        ([ALREADY], (ALREADY,), Exit.FAILED),
        ([ALREADY, DONE], (ALREADY,), Exit.PARTIAL),
    ],
)
def test_what_does_not_stand_is_partial_only_where_something_was_written(every, unmet, exit_code):
    """Another client may undo at once what was found as wanted; then this run wrote nothing."""
    assert exit_code_for_verification(tuple(every), unmet) is exit_code


@pytest.mark.parametrize(
    ("desired", "before", "now", "so"),
    [
        (declare(), [], [existing()], True),
        (declare(), [], [existing(), inactive("mtr_1")], True),
        (declare(), [], [], False),
        (declare(), [], [inactive()], False),
        (declare(), [], [existing(), existing("mtr_b")], False),
        (declare(), [], [existing(window="day")], False),
        (declare(display="New"), [existing()], [existing(display="New")], True),
        (declare(display="New"), [existing()], [existing()], False),
        (retire(), [existing()], [inactive("mtr_a")], True),
        (retire(), [existing()], [existing()], False),
        (retire(), [existing()], [inactive("mtr_a"), existing("mtr_b")], False),
        (None, [existing()], [inactive("mtr_a")], True),
        (None, [existing()], [existing()], False),
    ],
)
def test_a_line_is_fulfilled_by_what_is_active(desired, before, now, so):
    """Whichever client caused it, and whichever meter it is."""
    (line,) = decide_all([desired] if desired else [], before)
    (names,) = match_meters([desired] if desired else [], now) or [None]
    assert is_fulfilled(line, names) is so


def test_a_name_that_is_not_listed_has_no_meter():
    """Which is as wanted where none is."""
    (line,) = decide_all([retire()], [existing()])
    assert is_fulfilled(line, None)
    assert not is_fulfilled(UPDATE, None)


@pytest.mark.parametrize(
    ("every", "unmet", "code", "message"),
    [
        ([DONE, NOTHING], (), "A101", "verified: the account matches the plan"),
        ([NOTHING], (), "A101", "verified: the account matches the plan"),
        ([DONE, ReportedChange(BLOCKED)], (), "A101", "verified: 1 of 1 changes"),
        ([DONE, FAILED], (), "A101", "verified: 1 of 2 changes"),
        ([FAILED], (), None, None),
        ([DONE, FAILED], (UPDATE,), "A102", "the account still differs from the plan: 'calls'"),
        (
            *([DONE, FAILED], (UPDATE, replace(UPDATE, event_name="b")), "A102"),
            "the account still differs from the plan: 'calls', 'b'",
        ),
    ],
)
def test_the_closing_look_says_what_it_saw(every, unmet, code, message):
    """Never more than was done, and nothing where nothing was."""
    said = describe_verification(tuple(every), unmet)
    assert (said and said.code, said and said.message) == (code, message)
