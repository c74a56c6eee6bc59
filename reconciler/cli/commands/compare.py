"""`compare`: compare the meters of two accounts, field by field; no meter files are needed."""

from __future__ import annotations

from typing import Annotated

from ...config import load_accounts
from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...model.project import Account, Project
from ...operations.compare_meters import AccountReading, join_readings, read_account
from ...render import Document
from ..accounts import run_on_accounts, select_accounts
from ..arguments import Options, option, positional
from ..context import Command, Context, open_session


class CompareOptions(Options, frozen=True, kw_only=True):
    """Which two accounts, of which project, and which event_names."""

    a: Annotated[str | None, positional("an account of the project", "A")] = None
    b: Annotated[str | None, positional("the account to compare it with", "B")] = None
    path: Annotated[str, positional("the project folder (default: the current folder)", "PATH")] = (
        "."
    )
    only: Annotated[
        tuple[str, ...],
        option(
            "only event_names of either account that match the glob, e.g. 'ai_*'; repeatable",
            metavar="PATTERN",
        ),
    ] = ()

    @property
    def first_path(self) -> str:
        """The project."""
        return self.path


def _compare(options: CompareOptions, context: Context) -> Document:
    if not (options.a and options.b):
        raise UsageError(usage.BAD_OPTIONS("compare takes two accounts", hint=_HELP))
    project = load_accounts(options.path)
    a = _find_account(project, options.a, context)
    b = _find_account(project, options.b, context)
    if a.name == b.name and a.name not in context.unlisted:
        message = f"{options.a!r} and {options.b!r} are the same account"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))

    def read(account: Account) -> AccountReading:
        with open_session(account, context) as session:
            return read_account(session)

    readings = run_on_accounts((a, b), context, read, AccountReading)
    return join_readings(project, (a, b), readings, options.only)


_MOST_NAMES = 10  # in one message
_HELP = "write `reconciler compare A B`, with the names of two accounts of the project"


def _find_account(project: Project, pattern: str, context: Context) -> Account:
    """Return the one account that a name, or a glob, selects; raise UsageError otherwise."""
    found = select_accounts(project, (pattern,), context, "")
    if len(found) > 1:
        names = ", ".join(each.name for each in found[:_MOST_NAMES])
        more = ", …" if len(found) > _MOST_NAMES else ""
        message = f"{pattern!r} matches {len(found):,} accounts: {names}{more}"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))
    return found[0]


COMMAND = Command(
    CompareOptions,
    "Compare the existing meters of two accounts by event_name, field by field. Meter files are "
    "not needed. Ids, timestamps and livemode are ignored; event_names that differ are mapped by "
    "`compare` in the project file. A meter that is active in neither account is no difference. "
    "Exits with 2 if the accounts differ. Read-only.",
    _compare,
    ("text", "json", "markdown", "html"),
)
