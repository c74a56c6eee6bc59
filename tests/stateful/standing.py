"""What holds of the account itself: after every step of a story, and at its end."""

from __future__ import annotations

from builders.emulated import Context, expected_meters, request_of
from stateful.attempt import Attempt, is_in_place
from stateful.ledger import Event, held, history

from reconciler.diagnostics.codes.guards import RENAMED
from reconciler.diagnostics.errors import Exit
from reconciler.execution.steps import Operation, Step, list_steps, read_key
from reconciler.model.change import Change
from reconciler.model.match import has_same_settings

EFFECTS = {f"billing.meter.{operation}d": operation for operation in Operation}
UPDATED = "billing.meter.updated"


class Watch:
    """Looks at what is new in the account: nothing may be there that no applied plan holds."""

    def __init__(self, it: Context) -> None:
        self.it = it
        self.answered = self.happened = 0
        self.may: set[tuple[str, str, str]] = set()
        self.steps: dict[str, dict[int, Step]] = {}
        self.made: set[tuple[str, int]] = set()
        names = [meter.event_name for meter in held(it) if meter.active]
        self.twice = {name for name in names if names.count(name) > 1}

    def allow(self, run: Attempt) -> None:
        """The requests of this run's plan may have been sent by now."""
        if run.may and run.plan:
            every = [step for some in list_steps(run.plan).values() for step in some]
            self.may |= run.may
            self.steps[run.plan.plan_id] = {step.n: step for step in every}

    def take_snapshot(self) -> None:
        """Judge what has happened since the last look; no name may have two active meters."""
        entries, happened = list(self.it.server.log), history(self.it)
        for entry in entries[self.answered :]:
            assert entry.method == "GET" or request_of(entry) in self.may, entry
        for event in happened[self.happened :]:
            if event.key:
                self._planned(event)
        self.answered, self.happened = len(entries), len(happened)
        names = [meter.event_name for meter in held(self.it) if meter.active]
        assert {name for name in names if names.count(name) > 1} <= self.twice

    def _planned(self, event: Event) -> None:
        """An effect of ours is the step that its key names, and no wish makes a meter twice."""
        parts = read_key(event.key or "")
        assert parts
        step = self.steps[parts.plan_id][parts.n]
        if step.operation is Operation.CREATE:
            assert event.kind == "billing.meter.created"
            assert (parts.plan_id, parts.n) not in self.made
            assert not _could_wake(step.change)
            self.made.add((parts.plan_id, parts.n))
            return
        assert event.id == step.meter_id
        told_twice = step.operation is Operation.DEACTIVATE and event.kind == UPDATED  # a switch
        assert told_twice or EFFECTS[event.kind] is step.operation


def _could_wake(line: Change) -> bool:
    """Whether an inactive meter has all that is declared, and is not given up."""
    desired = line.desired
    assert desired
    candidates = [m for m in line.existing_meters if not m.active and m.id not in desired.retires]
    return any(has_same_settings(meter, desired.meter) for meter in candidates)


def converge(it: Context, run: Attempt) -> None:
    """One run, and the account is as declared but for what is refused; the next plan is empty.

    Where a name cannot be given to a new meter, that line fails, and nothing is stopped. What
    looked like a rename may do so no longer, once the other meter has its declared display_name.
    """
    it.clock.sleep(100)  # lists have caught up
    was = it.stored()
    wanted = expected_meters(it.account.policy, it.account.declared, held(it))
    run.go()
    assert run.plan
    if any(run.taken(line) for line in run.plan.changes):
        return
    assert run.report
    assert run.report.exit_code in (Exit.DONE, Exit.REFUSED)
    for change in (line.change for line in run.report.changes):
        if change.refused_by or not change.action.writes:
            assert all(it.stored()[meter.id] == was[meter.id] for meter in change.existing_meters)
        else:
            assert is_in_place(change, it)
            active = [m.meter for m in held(it, change.event_name) if m.active]
            assert active == [meter for meter in [wanted[change.event_name]] if meter]
    alike = {
        line.change.event_name for line in run.changes if RENAMED.code in line.change.refused_by
    }
    again = [line.change for line in it.plan().report.changes if line.change.action.writes]
    assert all(change.refused_by or change.event_name in alike for change in again)
