"""Divide the selected accounts of a run into shards, and join the reports of shards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from msgspec import Struct

from ..diagnostics.codes import fleet as rules
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ConfigError, Exit, select_worst
from ..diagnostics.shorten import shorten
from .report import AccountReport, Report, Shard

COMMANDS = ("plan", "apply", "drift")
"""The commands that can be run in shards, and resumed."""


def find_shard(name: str, count: int) -> int:
    """Return which of `count` shards an account is in, from 1.

    It depends on nothing but the name: jobs that list accounts at different times agree on it.
    """
    digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8]) % count + 1


class Source(Struct, frozen=True):
    """A report to join, and the file it was read from."""

    file: str
    report: Report


def merge_reports(sources: Sequence[Source]) -> Report:
    """Return one report of all accounts; raise ConfigError where reports do not belong together.

    Accounts are in the order of their positions where all reports have them, else in the order of
    the reports. A shard without a report makes the result incomplete, and a failure: what became
    of its accounts is not known.
    """
    begun = [each for each in sources if each.report.accounts or each.report.shard]
    errors = [*_compare_runs(sources), *_compare_shards(begun), *_find_repeated(begun)]
    if errors:
        raise ConfigError(*errors)
    reports = [each.report for each in sources]
    command = reports[0].command
    missing = _list_missing(begun, command)
    unknown = Exit.PARTIAL if command == "apply" else Exit.FAILED
    own = [*(each.own_exit for each in reports), *([unknown] if missing else [])]
    said = dict.fromkeys(chain(*(each.diagnostics for each in reports), missing))
    return Report(
        command=command,
        accounts=tuple(_sort_accounts(reports)),
        diagnostics=tuple(said),
        own_exit=select_worst(own),
    )


def _compare_runs(sources: Sequence[Source]) -> Iterator[Diagnostic]:
    """Yield an error for each report that is of another command or major version than the first."""
    first = sources[0]
    if first.report.command not in COMMANDS:
        message = f"it is of {first.report.command}: only {', '.join(COMMANDS)} are run in shards"
        yield rules.NOT_MERGEABLE(message, Location(first.file))
        return
    for each in sources[1:]:
        if each.report.command != first.report.command:
            message = f"it is of {each.report.command}, {first.file} is of {first.report.command}"
            yield rules.NOT_MERGEABLE(message, Location(each.file))
        if _find_major(each) != _find_major(first):
            other = f"{first.file} by {first.report.tool_version}"
            message = f"it was written by reconciler {each.report.tool_version}, {other}"
            yield rules.NOT_MERGEABLE(message, Location(each.file))


def _find_major(source: Source) -> str:
    return source.report.tool_version.partition(".")[0]


def _compare_shards(sources: Sequence[Source]) -> Iterator[Diagnostic]:
    """Yield an error for each report that is not of another shard of the same run."""
    seen: dict[int, str] = {}
    first = next((each for each in sources if each.report.shard), None)
    for each in sources:
        place, shard = Location(each.file), each.report.shard
        if first is None or first.report.shard is None:
            continue
        known = first.report.shard
        if shard is None:
            message = f"it is not of a shard, {first.file} is of shard {known}"
            yield rules.NOT_MERGEABLE(message, place)
        elif shard.count != known.count:
            message = f"it is of shard {shard}, {first.file} of shard {known}"
            yield rules.NOT_MERGEABLE(message, place)
        elif shard.configuration != known.configuration:
            message = f"it was made with other project or meter files than {first.file}"
            yield rules.NOT_MERGEABLE(message, place)
        elif shard.index in seen:
            message = f"it is of shard {shard}, and so is {seen[shard.index]}"
            yield rules.NOT_MERGEABLE(message, place)
        if shard:
            seen.setdefault(shard.index, each.file)


def _find_repeated(sources: Sequence[Source]) -> Iterator[Diagnostic]:
    """Yield an error for each account that a report before is about as well."""
    seen: dict[str, str] = {}
    for each in sources:
        for account in each.report.accounts:
            name = account.account.name
            if name in seen and not (each.report.shard and _is_unread(account)):
                message = f"it is about account {name!r}, and so is {seen[name]}"
                yield rules.ACCOUNT_TWICE(message, Location(each.file))
            seen.setdefault(name, each.file)


def _is_unread(account: AccountReport) -> bool:
    """Whether nothing was read: an entry whose accounts cannot be listed is in every shard."""
    failed = account.exit_code not in (Exit.DONE, Exit.CHANGES)
    return failed and not (account.complete or account.changes or account.entries)


def _list_missing(sources: Sequence[Source], command: str) -> tuple[Diagnostic, ...]:
    shards = [each.report.shard for each in sources if each.report.shard]
    if not shards:
        return ()
    present, count = {shard.index for shard in shards}, shards[0].count
    missing = [Shard(index, count) for index in range(1, count + 1) if index not in present]
    if not missing:
        return ()
    word = "shard" if len(missing) == 1 else "shards"
    message = f"no report of {word} {shorten(', '.join(map(str, missing)))}: what {command} "
    return (rules.SHARD_MISSING(f"{message}found for the accounts in it is not known"),)


def _sort_accounts(reports: Iterable[Report]) -> list[AccountReport]:
    named = {each.account.name: each for report in reports for each in report.accounts}
    accounts = list(named.values())
    if any(account.position is None for account in accounts):
        return accounts
    return sorted(accounts, key=lambda account: account.position or 0)
