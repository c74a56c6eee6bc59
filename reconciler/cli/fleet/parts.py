"""Select the part of the accounts that a run is for, and complete the report of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from ...diagnostics.codes import publishing
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import ConfigError
from ...model.project import Account, Project
from ...report.configuration import digest_accounts, digest_project
from ...report.read_report import MOST_BYTES, read_report
from ...report.report import AccountReport, Report, Shard
from ...report.resume import check_resumable, describe_changes, select_finished
from ...report.shards import find_shard
from .. import files
from ..context import Context
from .options import FleetOptions


def read_report_file(path: str) -> Report:
    """Return the JSON report in a file; raise ConfigError."""
    if os.path.isfile(path) and os.path.getsize(path) > MOST_BYTES:
        raise ConfigError(publishing.REPORT_FILE(f"{path}: larger than {MOST_BYTES:,} bytes"))
    return read_report(files.read(path), path)


class Part(Struct, frozen=True, kw_only=True):
    """The accounts to run, of those of the run; the results of the others are carried over.

    `positions` are those of all selected accounts, and `configurations` their digests.
    """

    accounts: tuple[Account, ...]
    order: tuple[str, ...]
    shard: Shard | None
    positions: Mapping[str, int]
    configurations: Mapping[str, str]
    carried_over: Mapping[str, AccountReport]
    diagnostics: tuple[Diagnostic, ...]

    def complete(
        self, report: Report, judge: Callable[[AccountReport], AccountReport] = lambda each: each
    ) -> Report:
        """Return the report of the run with the results that are carried over, in order.

        `judge` gives those the exit codes that the options of this run ask for.
        """
        found = {name: judge(each) for name, each in self.carried_over.items()}
        found |= {each.account.name: each for each in report.accounts}
        accounts = (
            replace(
                found[name],
                configuration=self.configurations[name],
                position=self.positions[name] if self.shard else None,
            )
            for name in self.order
            if name in found  # a run that is ended at once may lack some
        )
        diagnostics = (*report.diagnostics, *self.diagnostics)
        return replace(report, accounts=tuple(accounts), shard=self.shard, diagnostics=diagnostics)


def take_part(
    options: FleetOptions,
    command: str,
    project: Project,
    selected: tuple[Account, ...],
    context: Context,
    still_holds: Callable[[AccountReport], bool] = lambda _: True,
) -> Part:
    """Return the part of the selected accounts that `--shard` and `--resume` leave to be run.

    `still_holds` says whether the result of an account can be carried over.
    """
    shard = Shard(*options.shard, digest_project(project)) if options.shard else None
    accounts = _select_shard(selected, shard, context) if shard else selected
    names = [account.name for account in accounts]
    configurations = dict(zip(names, digest_accounts(accounts), strict=True))
    carried_over: dict[str, AccountReport] = {}
    diagnostics: tuple[Diagnostic, ...] = ()
    if options.resume:
        earlier = read_report_file(options.resume)
        check_resumable(earlier, command, options.resume)
        carried_over = select_finished(earlier, configurations, still_holds)
        names_in = (each.account.name for each in earlier.accounts)
        known = project.find_known(names_in)
        diagnostics = tuple(describe_changes(earlier, configurations, known, options.resume))
    return Part(
        accounts=tuple(account for account in accounts if account.name not in carried_over),
        order=tuple(names),
        shard=shard,
        positions={account.name: n for n, account in enumerate(selected, 1)},
        configurations=configurations,
        carried_over=carried_over,
        diagnostics=diagnostics,
    )


def _select_shard(
    selected: tuple[Account, ...], shard: Shard, context: Context
) -> tuple[Account, ...]:
    """Return the accounts of a shard; an entry whose accounts could not be listed is in each."""
    return tuple(
        each
        for each in selected
        if find_shard(each.name, shard.count) == shard.index or each.name in context.unlisted
    )
