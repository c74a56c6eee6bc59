"""Take up an earlier run: which of its results hold, and which accounts are run again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec.structs import replace

from ..diagnostics.codes import fleet as rules
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ConfigError, Exit
from ..diagnostics.shorten import list_some
from .report import AccountReport, Report
from .shards import COMMANDS

_EXAMPLES = 3


def check_resumable(earlier: Report, command: str, file: str) -> None:
    """Raise ConfigError for the report of another command, or of one that cannot be resumed."""
    if earlier.command != command or command not in COMMANDS:
        message = f"it is of {earlier.command}, and this run is of {command}"
        raise ConfigError(rules.NOT_RESUMABLE(message, Location(file)))


def select_finished(
    earlier: Report,
    configurations: Mapping[str, str],
    still_holds: Callable[[AccountReport], bool] = lambda _: True,
) -> dict[str, AccountReport]:
    """Return the results to carry over, by account: complete, successful, and still valid.

    `configurations` are the digests of the selected accounts as the files are now. A report
    decides nothing but which accounts are run.
    """
    return {
        each.account.name: replace(each, carried_over=True)
        for each in earlier.accounts
        if has_succeeded(each)
        and each.configuration is not None
        and configurations.get(each.account.name) == each.configuration
        and still_holds(each)
    }


def has_succeeded(account: AccountReport) -> bool:
    """Whether an account was read in full, and nothing failed or was refused."""
    return account.complete and account.exit_code in (Exit.DONE, Exit.CHANGES)


def describe_changes(
    earlier: Report, configurations: Mapping[str, str], project: Collection[str], file: str
) -> Iterator[Diagnostic]:
    """Yield which accounts the project no longer has, and which changed since the report."""
    gone = [each.account.name for each in earlier.accounts if each.account.name not in project]
    if gone:
        message = f"{_name(gone)}: in this report, and not in the project"
        yield rules.ACCOUNT_GONE(message, Location(file))
    changed = [
        each.account.name
        for each in earlier.accounts
        if has_succeeded(each)
        and configurations.get(each.account.name, each.configuration) != each.configuration
    ]
    if changed:
        message = f"{_name(changed)}: run again, since the configuration changed"
        yield rules.CONFIGURATION_CHANGED(message, Location(file))


def _name(accounts: Iterable[str]) -> str:
    """Return the first accounts, and how many more there are."""
    names = list(accounts)
    word = "account" if len(names) == 1 else "accounts"
    return f"{word} {list_some(map(repr, names), _EXAMPLES)}"
