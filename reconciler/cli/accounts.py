"""Select the accounts of a run and do the same work for each; one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from ..diagnostics.codes import usage
from ..diagnostics.codes.config import NOT_SELECTED
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ConfigError, UsageError
from ..diagnostics.suggest import suggest
from ..model.pattern import matches
from ..model.project import Account, AccountRef, Project
from ..planning.scope import Scope
from ..report.report import AccountReport, Report
from .arguments import ACCOUNT_VARIABLE
from .context import Context
from .errors import explain_error, trace

T = TypeVar("T")

_GIVEN = f", given by --account or {ACCOUNT_VARIABLE}"


def select_accounts(project: Project, patterns: tuple[str, ...]) -> tuple[Account, ...]:
    """Return the accounts that match the globs, in their order, or the only account there is.

    Raise UsageError for a glob that matches nothing, and where there are several and no glob.
    """
    known = {account.name: account for account in project.accounts}
    if not patterns and len(known) > 1:
        message = f"the project has {len(known)} accounts: choose with --account"
        hint = f"--account {' or '.join(known)}, or --account '*' for all"
        raise UsageError(usage.NO_ACCOUNT(message, hint=hint))
    chosen = tuple(known[name] for name in match_names(known, patterns)) or project.accounts
    _check_selected(project, chosen)
    return chosen


def match_names(
    known: Iterable[str], patterns: tuple[str, ...], given: str = _GIVEN
) -> tuple[str, ...]:
    """Return the names of accounts that match the globs, each once; raise UsageError for none.

    `given` says in the message where the globs are from.
    """
    names = tuple(known)
    chosen: dict[str, None] = {}
    for pattern in patterns:
        found = [name for name in names if matches(name, (pattern,))]
        if not found:
            close = suggest(pattern, names)
            listed = f"the project has {', '.join(names)}"
            hint = f"did you mean {close}? {listed}" if close else listed
            message = f"no account matches {pattern!r}{given}"
            raise UsageError(usage.NO_ACCOUNT(message, hint=hint))
        chosen |= dict.fromkeys(found)
    return tuple(chosen)


def _check_selected(project: Project, accounts: tuple[Account, ...]) -> None:
    """Raise ConfigError for a part of the project that none of the accounts reads."""
    selected = project.selected
    if selected is not None and selected.isdisjoint(f for each in accounts for f in each.files):
        names = " or ".join(repr(account.name) for account in accounts)
        message = f"account {names} does not read this file"
        raise ConfigError(*(NOT_SELECTED(message, Location(file)) for file in sorted(selected)))


def build_scope(accounts: tuple[Account, ...], only: tuple[str, ...]) -> Scope:
    """Return the scope of --only; raise UsageError for a pattern that matches nothing declared."""
    names = [desired.event_name for account in accounts for desired in account.declared]
    for pattern in only:
        if not any(matches(name, (pattern,)) for name in names):
            message = f"--only {pattern!r} matches no declared meter"
            raise UsageError(usage.PATTERN_WITHOUT_MATCH(message))
    return Scope(only)


def run_on_accounts(
    accounts: tuple[Account, ...],
    context: Context,
    work: Callable[[Account], T],
    build_failure: Callable[..., T],
) -> tuple[T, ...]:
    """Return one result for each account, in order; after a signal no further one is begun.

    `work` raises only as long as it has written nothing; `build_failure` is then called with the
    fields of an AccountResult.
    """
    return tuple(_run_on(account, context, work, build_failure) for account in accounts)


def _run_on(
    account: Account,
    context: Context,
    work: Callable[[Account], T],
    build_failure: Callable[..., T],
) -> T:
    try:
        context.stop.raise_on_signal()
        return work(account)
    except (Exception, KeyboardInterrupt) as error:
        from ..stripe.errors import ServerError  # `validate` must not pay for it

        trace(error, context.output, context.console)
        diagnostics, exit_code = explain_error(error, context.environ)
        if isinstance(error, ServerError):  # else only the summary of the text formats says so
            first, *more = diagnostics
            message = f"{first.message}; nothing was changed"
            diagnostics = (replace(first, message=message), *more)
        ref = AccountRef(account.name)
        return build_failure(account=ref, exit_code=exit_code, diagnostics=diagnostics)


def build_report(
    command: str,
    project: Project,
    accounts: tuple[Account, ...],
    context: Context,
    work: Callable[[Account], AccountReport],
    diagnostics: tuple[Diagnostic, ...] = (),
) -> Report:
    """Return the report of a command that does the same work on each account."""
    incomplete = partial(AccountReport, complete=False)
    return Report(
        command=command,
        accounts=run_on_accounts(accounts, context, work, incomplete),
        diagnostics=(*project.diagnostics, *diagnostics),
    )
