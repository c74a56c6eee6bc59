"""What a run comes to: its verdict in a sentence, its counts, and what limits it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from ..diagnostics.diagnostic import Effect
from ..diagnostics.errors import Exit
from ..model.change import Action, Reason
from ..model.finding import SUSPICIONS, DriftEntry, Kind, Severity
from ..report.report import AccountReport, Report, ReportedChange, ResultStatus, count_changes
from .facts import has_unattributed
from .labels import count, explain_incomplete, has_effect

_SAMPLED = "Usage was only sampled: whether all of it arrives is not known."
_UNATTRIBUTED = "Changes older than 30 days cannot be attributed."


class Tone(StrEnum):
    """How a verdict looks."""

    GOOD = "good"
    NEWS = "news"
    WARNING = "warning"
    BAD = "bad"


class Headline(Struct, frozen=True):
    """What a run, or its part on one account, comes to.

    `counts` are numbers that the verdict does not state; `notes` say what the run cannot show.
    """

    tone: Tone
    verdict: str
    counts: str
    notes: tuple[str, ...]

    def __str__(self) -> str:
        numbers = f"{self.counts}." if self.counts else ""
        return " ".join(filter(None, (self.verdict, numbers, *self.notes)))


def summarize(report: Report | AccountReport, command: str) -> Headline:
    """Return what a run, or its part on one account, comes to."""
    tone, verdict = _judge_empty(report) or _judge(report, command)
    old = _UNATTRIBUTED if has_unattributed(_list_entries(report)) else None
    why = explain_incomplete(report) if _list_accounts(report) else None
    sampled = _SAMPLED if has_effect(report, Effect.SAMPLE) else None
    counts = ", ".join(_count_rest(report, command))
    part = describe_part(report)
    return Headline(tone, verdict, counts, tuple(filter(None, (part, why, sampled, old))))


def describe_part(report: Report | AccountReport) -> str | None:
    """Return which part of the accounts a run was for, and what it took from an earlier one."""
    if isinstance(report, AccountReport):
        return "Carried over from an earlier run." if report.carried_over else None
    earlier = sum(each.carried_over for each in report.accounts)
    run = f"Shard {report.shard}: {count(len(report.accounts), 'account')}."
    said = [run] if report.shard else []
    said += [f"Carried over from an earlier run: {count(earlier, 'account')}."] if earlier else []
    return " ".join(said) or None


_NOUNS = {
    Action.CREATE: "create",
    Action.REACTIVATE: "reactivation",
    Action.UPDATE: "update",
    Action.REPLACE: "replacement",
    Action.DEACTIVATE: "deactivation",
}


def _count_rest(report: Report | AccountReport, command: str) -> list[str]:
    """Return the counts that the verdict does not state."""
    if command == "drift":
        return _count_findings(list(_list_entries(report)), _list_accounts(report))
    changes = list(_list_changes(report))
    if report.exit_code in (Exit.DONE, Exit.CHANGES) and not _was_refused(command, changes):
        return [] if _count_results(changes) and command == "apply" else _count_others(changes)
    return _count_results(changes) or [*_count_planned(changes), *_count_others(changes)]


def _was_refused(command: str, changes: list[ReportedChange]) -> bool:
    """Whether a saved plan that is only shown was refused when it was made."""
    return command == "show" and any(map(_is_open, changes))


def _count_findings(entries: Sequence[DriftEntry], accounts: Iterable[AccountReport]) -> list[str]:
    found = [entry.severity for entry in entries if entry.severity]
    ignored = sum(entry.ignored for entry in entries)
    unlisted = [account.unlisted for account in accounts]
    others = sum(entry.unmanaged for entry in entries)
    quiet = len(entries) - len(found) - ignored - others + sum(each.unchanged for each in unlisted)
    others += sum(each.unmanaged for each in unlisted)
    rest = ((ignored, "ignored"), (others, "unmanaged"), (quiet, "without findings"))
    said = [f"{found.count(each):,} {each}" for each in reversed(Severity) if each in found]
    return said + [f"{number:,} {words}" for number, words in rest if number]


def _count_results(changes: Iterable[ReportedChange]) -> list[str]:
    """Return what became of the changes; nothing where none was tried."""
    every = list(changes)
    ended = [change.result.status for change in every if change.result]
    if not ended:
        return []
    words = {ResultStatus.DONE: "changed", ResultStatus.ALREADY: "already as planned"}
    said = [
        f"{ended.count(status):,} {words.get(status, status)}"
        for status in ResultStatus
        if status in ended
    ]
    return said + _count_others(change for change in every if not change.result)


def _count_planned(changes: Iterable[ReportedChange]) -> list[str]:
    by_action = count_changes(changes)
    return [count(by_action[action], noun) for action, noun in _NOUNS.items() if by_action[action]]


def _count_others(changes: Iterable[ReportedChange]) -> list[str]:
    every = list(changes)
    by_action = count_changes(every)
    retired = sum(change.change.reason == Reason.RETIRED for change in every)
    rest = {word: by_action[word] for word in ("blocked", "refused", "unmanaged", "unchanged")}
    rest |= {"unchanged": rest["unchanged"] - retired, "retired": retired}
    return [f"{number:,} {word}" for word, number in rest.items() if number]


_ENDED = {
    Exit.FAILED: "Failed",
    Exit.REFUSED: "Refused",
    Exit.STALE: "The plan is stale",
    Exit.PARTIAL: "Partial apply: some changes may have been made, not all are confirmed",
    Exit.DENIED: "Missing or invalid API key, or insufficient permissions",
    Exit.USAGE: "Invalid command line",
    Exit.INTERRUPTED: "Interrupted",
}
_NOT_VERIFIED = "Not confirmed: every change was made, but the account does not show all of them."
_UNVERIFIABLE = "Not confirmed: every change was made, but the account could not be read again."
_WITHOUT_EFFECT = (Exit.FAILED, Exit.REFUSED, Exit.STALE, Exit.DENIED)


def _judge_empty(report: Report | AccountReport) -> tuple[Tone, str] | None:
    """Return the verdict on an account that was not begun, or a shard that has no accounts."""
    if isinstance(report, AccountReport):
        begun = not has_effect(report, Effect.NOT_BEGUN)
        return None if begun else (Tone.WARNING, "Not begun: nothing was read or changed.")
    if report.shard is None or report.accounts:
        return None
    return Tone.GOOD, f"No selected account is in shard {report.shard}: nothing to do."


def _judge(report: Report | AccountReport, command: str) -> tuple[Tone, str]:
    if command == "validate" and report.exit_code in (Exit.DONE, Exit.FAILED):
        valid = report.exit_code is Exit.DONE
        return (
            (Tone.GOOD, "The files are valid.") if valid else (Tone.BAD, "The files have errors.")
        )
    changes = list(_list_changes(report))
    if _was_refused(command, changes):
        return Tone.BAD, "Refused when it was made: apply makes no changes."
    if report.exit_code in _ENDED:
        return _judge_failed(report, command, changes)
    if command == "drift":
        return _judge_drift(report)
    if command == "apply" and (ended := _count_results(changes)):
        return Tone.GOOD, f"Apply complete: {', '.join(ended)}."
    if _count_planned(changes):
        return Tone.NEWS, f"Planned: {', '.join(_count_planned(changes))}."
    if command == "show":
        return Tone.GOOD, "The plan has no changes."
    return Tone.GOOD, f"No changes{_describe_match(report, command, changes)}."


def _describe_match(
    report: Report | AccountReport, command: str, changes: list[ReportedChange]
) -> str:
    """Return how far an account without changes matches; an old plan may not know it."""
    if command == "apply":
        return " to apply"
    if not report.complete:
        return ". The evaluated meters are as declared"
    if any(each.change.action is Action.UNMANAGED for each in changes):
        return ". Every declared meter is as declared"
    return ". The account matches the configuration"


def _judge_failed(
    report: Report | AccountReport, command: str, changes: list[ReportedChange]
) -> tuple[Tone, str]:
    said, code = _ENDED[report.exit_code], report.exit_code
    done = [each.result.status for each in changes if each.result].count(ResultStatus.DONE)
    if code is Exit.REFUSED and command == "plan":
        return Tone.BAD, f"{said}: apply makes no changes until the errors are fixed."
    if code is Exit.PARTIAL:
        return Tone.BAD, _explain_unverified(report, changes) or f"{said}."
    if done:
        parts = ", ".join([f"{count(done, 'change')} applied", *_count_open(changes)])
        refused = code is Exit.REFUSED
        return (Tone.WARNING, f"{parts}.") if refused else (Tone.BAD, f"{said}: {parts}.")
    if code not in (_WITHOUT_EFFECT if command == "apply" else (Exit.FAILED,)):
        return Tone.BAD, f"{said}."
    said = "Cancelled" if has_effect(report, Effect.CANCELLED) else said
    unknown = has_effect(report, Effect.UNCONFIRMED)
    return Tone.BAD, f"{said}." if unknown else f"{said}. Nothing was changed in Stripe."


def _is_open(each: ReportedChange) -> bool:
    """Whether a change is blocked, refused, or has not succeeded."""
    failed = each.result is not None and not each.result.status.succeeded
    return failed or each.change.action is Action.BLOCKED or bool(each.change.refused_by)


def _count_open(changes: list[ReportedChange]) -> list[str]:
    """Return how many changes were not applied, by what kept them from it."""
    left = [each for each in changes if _is_open(each)]
    ends = [_name_end(each) for each in left]
    words = ("not applied", "blocked", "refused", "unknown")
    return [f"{ends.count(word):,} {word}" for word in words if word in ends]


def _name_end(each: ReportedChange) -> str:
    if each.change.action is Action.BLOCKED:
        return "blocked"
    if each.change.refused_by:
        return "refused"
    unknown = each.result is not None and each.result.status is ResultStatus.UNKNOWN
    return "unknown" if unknown else "not applied"


def _explain_unverified(
    report: Report | AccountReport, changes: list[ReportedChange]
) -> str | None:
    """Return why a run is partial where every change was made, and only its check failed."""
    if isinstance(report, Report) and report.own_exit is Exit.PARTIAL:
        return None
    made = [each.result for each in changes if each.change.action.writes]
    succeeded = all(result is not None and result.status.succeeded for result in made)
    ends = {account.exit_code for account in _list_accounts(report)}
    if not succeeded or any(map(_is_open, changes)) or not ends <= {Exit.DONE, Exit.PARTIAL}:
        return None
    return _UNVERIFIABLE if has_effect(report, Effect.UNVERIFIABLE) else _NOT_VERIFIED


def _judge_drift(report: Report | AccountReport) -> tuple[Tone, str]:
    found = [entry for entry in _list_entries(report) if entry.severity]
    if found:
        revenue = any(entry.severity is Severity.REVENUE for entry in found)
        return Tone.BAD if revenue else Tone.WARNING, f"{_count_drift(found)}."
    if has_effect(report, Effect.LOST_USAGE):
        return Tone.BAD, "Drift: usage was sent under event_names that no meter has."
    if report.exit_code is Exit.CHANGES:
        return Tone.WARNING, "No drift, but an exemption has expired."
    return Tone.GOOD, "No drift."


def _count_drift(entries: list[DriftEntry]) -> str:
    """Return how many event_names differ, and of how many only the usage is at stake."""
    suspected = sum(entry.has_only(SUSPICIONS) for entry in entries)
    lost = sum(entry.has_only((Kind.USAGE_REJECTED, *SUSPICIONS)) for entry in entries) - suspected
    differing = len(entries) - lost - suspected
    parts = [
        (differing, f"{count(differing, 'event_name')} not as declared"),
        (lost, f"usage of {count(lost, 'event_name')} was rejected"),
        (suspected, f"usage of {count(suspected, 'event_name')} may not arrive"),
    ]
    said = "; ".join(words for number, words in parts if number)
    return f"{'Drift' if differing or lost else 'Suspicion'}: {said}"


def _list_changes(report: Report | AccountReport) -> Iterator[ReportedChange]:
    return (change for account in _list_accounts(report) for change in account.changes)


def _list_entries(report: Report | AccountReport) -> Iterator[DriftEntry]:
    return (entry for account in _list_accounts(report) for entry in account.entries)


def _list_accounts(report: Report | AccountReport) -> tuple[AccountReport, ...]:
    return report.accounts if isinstance(report, Report) else (report,)
