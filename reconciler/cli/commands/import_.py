"""`import`: write existing meters that no file declares as YAML, whose next plan is empty."""

from __future__ import annotations

from typing import Annotated

from msgspec.structs import replace

from ...adoption.adopt_meters import Adopted, Wanted, adopt_meters
from ...adoption.extend_file import extend
from ...adoption.terraform import read_terraform
from ...config import load_accounts
from ...diagnostics.codes import usage
from ...diagnostics.errors import ConfigError, Exit, ReconcilerError, RefusedError, UsageError
from ...diagnostics.explain_error import explain_error
from ...diagnostics.shorten import shorten
from ...model.project import Account, AccountRef
from ...operations.snapshot import check_account, take_snapshot
from ...render import Document
from ...report.documents import MeterDeclarations
from .. import files, new_files
from ..accounts import select_accounts
from ..arguments import ProjectOptions, flag, option
from ..context import PLAIN, Command, Context, open_session


class ImportOptions(ProjectOptions, frozen=True, kw_only=True):
    """Which meters, from where, and the file to add them to."""

    only: Annotated[
        tuple[str, ...],
        option(
            "only event_names that match the glob, e.g. 'ai_*'; repeatable; also outside of `owns`",
            metavar="PATTERN",
        ),
    ] = ()
    into: Annotated[
        str | None,
        option(
            "add the meters to this meter file, without changing a line of it; created if missing",
            metavar="FILE",
        ),
    ] = None
    include_inactive: Annotated[bool, flag("also event_names without an active meter")] = False
    from_terraform: Annotated[
        str | None,
        option(
            "read the meters from a Terraform state or `terraform show -json`, without a key",
            metavar="FILE",
        ),
    ] = None

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the Terraform state."""
        return ((self.from_terraform, "Terraform state"),) if self.from_terraform else ()


def _import(options: ImportOptions, context: Context) -> Document:
    try:
        return _declare(options, context)
    except UsageError:
        raise
    except ReconcilerError as error:  # standard output is to become a meter file
        diagnostics, exit_code = explain_error(error, context.environ)
        return MeterDeclarations(diagnostics=diagnostics, own_exit=exit_code)


def _declare(options: ImportOptions, context: Context) -> Document:
    project = load_accounts(options.path, _list_unwritten(context))
    accounts = select_accounts(project, options.account, context)
    if len(accounts) > 1:
        names = ", ".join(account.name for account in accounts)
        hint = f"choose one with --account: {shorten(names)}"
        raise UsageError(usage.BAD_OPTIONS("import takes one account", hint=hint))
    ref, adopted = _read_meters(accounts[0], options, context)
    found = MeterDeclarations(
        account=ref,
        meters=adopted.meters,
        diagnostics=(*project.diagnostics, *adopted.diagnostics),
    )
    if options.into is None:
        return replace(found, text=adopted.write())
    return _write_into(options.into, options, adopted, accounts[0], found)


def _list_unwritten(context: Context) -> dict[str, bytes]:
    """Return the file that a shell has created for standard output, with an empty list."""
    file = context.console.empty_output_file
    return {file: b"version: 1\nmeters: []\n"} if file else {}


def _read_meters(
    account: Account, options: ImportOptions, context: Context
) -> tuple[AccountRef, Adopted]:
    """Return the undeclared meters of the account, or of the Terraform state for it."""
    wanted = Wanted(options.only, options.include_inactive)
    if options.from_terraform:
        file = options.from_terraform
        existing, origins = read_terraform(files.read(file), file)
        return AccountRef(account.name), adopt_meters(existing, account, wanted, origins)
    with open_session(account, context) as session:
        existing = session.meters.list_all()
        snapshot = take_snapshot(session, (), existing)
        exit_code, said = check_account(account, snapshot)
        if exit_code is not Exit.DONE:
            raise RefusedError(*said)
        said += session.report_rate()
    adopted = adopt_meters(existing, account, wanted)
    return snapshot.account, replace(adopted, diagnostics=(*said, *adopted.diagnostics))


def _write_into(
    file: str,
    options: ImportOptions,
    adopted: Adopted,
    account: Account,
    found: MeterDeclarations,
) -> Document:
    """Add the meters to a file; where that is not sure, return them with the reason."""
    if not adopted.adoptions:
        return replace(found, file=file)
    try:
        extension = extend(options.path, file, adopted.adoptions, account)
    except ConfigError as error:
        said = (*found.diagnostics, *error.diagnostics)
        return replace(
            found, text=adopted.write(), diagnostics=said, own_exit=ConfigError.exit_code
        )
    text = extension.content.decode()
    if extension.exists:
        files.replace_file(file, text)
    else:
        new_files.create_files({file: text})
    said = (*found.diagnostics, *extension.diagnostics)
    return replace(found, text=adopted.write(), file=file, diagnostics=said)


COMMAND = Command(
    ImportOptions,
    "Write the existing meters that no file declares as YAML, whose next plan has no changes. "
    "Nothing is written to Stripe.",
    _import,
    PLAIN,
)
