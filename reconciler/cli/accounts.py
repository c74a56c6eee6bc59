"""Select the accounts of a run and do the same work for each; one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from ..diagnostics.codes import usage
from ..diagnostics.codes.config import NOT_SELECTED
from ..diagnostics.diagnostic import Location
from ..diagnostics.errors import ConfigError, ReconcilerError, UsageError
from ..diagnostics.suggest import suggest
from ..model.pattern import matches
from ..model.project import Account, AccountRef, Project
from ..planning.scope import Scope
from .arguments import ACCOUNT_VARIABLE
from .context import Context, open_session
from .errors import trace

T = TypeVar("T")

_GIVEN = f", given by --account or {ACCOUNT_VARIABLE}"


def select_entries(
    project: Project, patterns: tuple[str, ...], given: str = _GIVEN
) -> tuple[Account, ...]:
    """Return the entries of the project file that match the globs, or the only one there is.

    One with connected accounts also matches a glob of some of them, `ENTRY/ID`. Raise UsageError
    for a glob that matches nothing, and where there are several entries and no glob. `given` says
    in the message where the globs are from.
    """
    if not patterns and len(project.accounts) > 1:
        message = f"the project has {len(project.accounts)} accounts: choose with --account"
        hint = f"--account {' or '.join(_list_names(project))}, or --account '*' for all"
        raise UsageError(usage.NO_ACCOUNT(message, hint=hint))
    chosen: dict[str, Account] = {}
    for pattern in patterns:
        found = [each for each in project.accounts if _may_match(each, pattern)]
        if not found:
            raise _describe_mismatch(project, pattern, given)
        chosen |= {each.name: each for each in found}
    accounts = tuple(chosen.values()) or project.accounts
    _check_selected(project, accounts)
    return accounts


def select_accounts(
    project: Project, patterns: tuple[str, ...], context: Context, given: str = _GIVEN
) -> tuple[Account, ...]:
    """Return the accounts that match the globs, in their order, or the only account there is.

    `ENTRY` selects all connected accounts of an entry. Where an entry has `all`, they are listed
    now; if that fails, the entry itself is returned and the error kept in `context.unlisted`.
    Raise UsageError as `select_entries` does.
    """
    entries = select_entries(project, patterns, given)
    connected = entries[0].connected
    if not patterns and connected and (connected.ids is None or len(connected.ids) > 1):
        message = f"{entries[0].name!r} covers many accounts: choose with --account"
        hint = f"--account {' or '.join(_list_names(project))}"
        raise UsageError(usage.NO_ACCOUNT(message, hint=hint))
    expanded = [each for entry in entries for each in _expand(project, entry, context)]
    if not patterns:
        return tuple(expanded)
    chosen: dict[str, Account] = {}
    for pattern in patterns:
        found = [each for each in expanded if _matches(each, pattern, context)]
        if not found:
            raise _describe_mismatch(project, pattern, given)
        chosen |= {each.name: each for each in found}
    return tuple(chosen.values())


def find_accounts(project: Project, names: Collection[str], context: Context) -> dict[str, Account]:
    """Return the accounts of these names, as far as the project has them.

    An entry whose accounts could not be listed, as in `select_accounts`, is the account of each.
    """
    entries = {name: name.partition("/")[0] for name in names}
    wanted = set(entries.values())
    expanded = {
        account.name: account
        for entry in project.accounts
        if entry.name in wanted
        for account in _expand(project, entry, context)
    }
    keys = {name: entry if entry in context.unlisted else name for name, entry in entries.items()}
    return {name: expanded[key] for name, key in keys.items() if key in expanded}


def _matches(account: Account, pattern: str, context: Context) -> bool:
    if account.name in context.unlisted:
        return _may_match(account, pattern)
    return account.matches((pattern,))


def _may_match(entry: Account, pattern: str) -> bool:
    """Whether a glob matches an entry or, as far as they are known, some of its accounts."""
    if matches(entry.name, (pattern,)):
        return True
    if entry.connected is None:
        return False
    if entry.connected.ids is None:
        around, slash, _ = pattern.partition("/")
        return bool(slash) and matches(entry.name, (around,))
    return any(matches(f"{entry.name}/{id_}", (pattern,)) for id_ in entry.connected.ids)


def _expand(project: Project, entry: Account, context: Context) -> tuple[Account, ...]:
    """Return the accounts of an entry: itself, or those that are connected."""
    if entry.connected is None:
        return (entry,)
    if entry.connected.ids is not None:
        return entry.expand(entry.connected.ids)
    if entry.name not in context.listed:
        context.listed[entry.name] = _list_connected(project, entry, context)
    return context.listed[entry.name]


def _list_connected(project: Project, entry: Account, context: Context) -> tuple[Account, ...]:
    try:
        from ..fleet.connected import list_connected  # offline commands must not pay for it

        return list_connected(project, entry, lambda account: open_session(account, context))
    except ReconcilerError as error:
        context.unlisted[entry.name] = error
        return (entry,)


def _list_names(project: Project) -> list[str]:
    """Return what selects each entry on a command line."""
    return [f"'{each.name}/*'" if each.connected else each.name for each in project.accounts]


def _describe_mismatch(project: Project, pattern: str, given: str) -> UsageError:
    names = [each.name for each in project.accounts]
    close = suggest(pattern, names)
    listed = f"the project has {', '.join(_list_names(project))}"
    hint = f"did you mean {close}? {listed}" if close else listed
    return UsageError(usage.NO_ACCOUNT(f"no account matches {pattern!r}{given}", hint=hint))


def select_names(
    project: Project, names: Iterable[str], patterns: tuple[str, ...]
) -> tuple[str, ...]:
    """Return which of these names of accounts match the globs, each once.

    An entry selects all of its connected accounts, also former ones. Raise UsageError for a glob
    that matches neither a name nor an account of the project.
    """
    known = tuple(names)
    chosen: dict[str, None] = {}
    for pattern in patterns:
        found = [
            name
            for name in known
            if any(matches(each, (pattern,)) for each in (name, name.partition("/")[0]))
        ]
        if not found and not any(_may_match(each, pattern) for each in project.accounts):
            raise _describe_mismatch(project, pattern, _GIVEN)
        chosen |= dict.fromkeys(found)
    return tuple(chosen)


def select_present(
    project: Project, patterns: tuple[str, ...], context: Context
) -> tuple[Account, ...]:
    """Return the accounts of the project that match the globs; a glob may match none."""
    entries = (e for e in project.accounts if any(_may_match(e, p) for p in patterns))
    expanded = (each for entry in entries for each in _expand(project, entry, context))
    return tuple(e for e in expanded if any(_matches(e, p, context) for p in patterns))


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

    For commands that write nothing to Stripe; `build_failure` is called with the fields of an
    AccountResult.
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
        from ..fleet.work import explain_failure  # `validate` must not pay for it

        trace(error, context.output, context.console)
        diagnostics, exit_code = explain_failure(error, context.environ)
        ref = AccountRef(account.name)
        return build_failure(account=ref, exit_code=exit_code, diagnostics=diagnostics)
