"""`init`: start a project, with the meters that an account has if asked for."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace

from ...adoption import new_project
from ...adoption.adopt_meters import Adopted, Wanted, adopt_meters
from ...adoption.github_workflows import write_github_workflows
from ...adoption.gitlab_pipeline import GITLAB_FILE, GITLAB_INCLUDED, write_gitlab_pipeline
from ...adoption.new_project import NewAccount
from ...config import globs, load_accounts
from ...config.discovery import PROJECT_FILE, Folder, find_meter_files, start_from
from ...config.project_file import read_project
from ...config.secret_scan import holds_key
from ...diagnostics.codes import environment, usage
from ...diagnostics.diagnostic import Level, Location
from ...diagnostics.errors import Exit, RefusedError, UsageError
from ...model.project import Account, AccountRef
from ...operations.session import Session
from ...operations.snapshot import check_account, take_snapshot
from ...render import Document
from ...report.documents import NewProject, WrittenFile
from .. import files, new_files
from ..arguments import Options, option, positional
from ..console import Console
from ..context import PLAIN, Command, Context, open_session
from ..places import find_repository

_KEY = "STRIPE_API_KEY"
_HOSTS = ("github", "gitlab")
_NO_MORE = "nothing was written"


class InitOptions(Options, frozen=True, kw_only=True):
    """The account of the project, and what to write besides its files; None is not said."""

    path: Annotated[
        str, positional("the folder of the project (default: the current folder)", "PATH")
    ] = "."
    from_account: Annotated[
        bool | None, option("declare the active meters that the account has", action="store_true")
    ] = None
    account: Annotated[
        str | None, option("the name of the account (default: sandbox)", metavar="NAME")
    ] = None
    api_key_env: Annotated[
        str | None,
        option(f"the environment variable with its API key (default: {_KEY})", metavar="NAME"),
    ] = None
    api_base: Annotated[
        str | None, option("another address of the API, for an emulator", metavar="URL")
    ] = None
    livemode: Annotated[bool | None, option("the account is in live mode", action="store_true")] = (
        None
    )
    ci: Annotated[str | None, option("also write a CI workflow", choices=_HOSTS)] = None

    @property
    def first_path(self) -> str:
        """The folder of the project."""
        return self.path


class _Start(Struct, frozen=True):
    """The new account, the meters to declare, and what was known of the folder before."""

    account: NewAccount
    adopted: Adopted
    ref: AccountRef
    declares_elsewhere: bool = False


def _init(options: InitOptions, context: Context) -> Document:
    _check_folder(options.path)
    if context.console.interactive:
        options = _ask(options, context)
    account = _build_account(options)
    declared = _load_declared(options.path, _parse_account(account, options.path))
    start = _Start(account, Adopted((), ()), AccountRef(account.name), bool(declared.files))
    if options.from_account:
        with open_session(declared, context) as session:
            start = _read_account(start, session)
    contents = _build_contents(options, start)
    taken = [file for file in contents if os.path.lexists(file)]
    if taken:
        said = (environment.FILE_EXISTS(f"exists already; {_NO_MORE}", Location(f)) for f in taken)
        raise files.FileError(*said)
    context.stop.raise_on_signal()
    ignored, finish = _extend_gitignore(options.path)
    new_files.create_files(contents, finish)
    written = [WrittenFile(file, "created") for file in contents]
    written += [WrittenFile(ignored, "extended")] if ignored else []
    return NewProject(
        account=start.ref,
        files=tuple(written),
        declared=len(start.adopted.adoptions) + len(declared.declared),
        diagnostics=start.adopted.diagnostics,
        next=tuple(_list_next(options, start, contents)),
    )


def _check_folder(path: str) -> None:
    """Raise an error for a PATH that is no folder, or belongs to a project."""
    if not os.path.lexists(path):
        path = next(str(each) for each in Path(path).absolute().parents if each.exists())
    if not os.path.isdir(path):
        raise UsageError(usage.BAD_OPTIONS(f"{path} is not a folder", hint="give a folder"))
    start = start_from(path)
    if start.project_file:
        location = start.folder.show(PROJECT_FILE)
        message = f"exists already, and the folder belongs to its project; {_NO_MORE}"
        raise files.FileError(environment.FILE_EXISTS(message, location))


def _ask(options: InitOptions, context: Context) -> InitOptions:
    """Ask for what the options do not say."""
    ask = context.console.ask
    if options.api_key_env is None:
        key = ask(f"Environment variable with the API key [{_KEY}]: ") or _KEY
        options = replace(options, api_key_env=key)
    if options.livemode is None:
        options = replace(options, livemode=_is_yes(context.console, "Is it a live mode key?", "n"))
    name = _get_name(options)
    if options.account is None:
        options = replace(options, account=ask(f"Name of the account [{name}]: ") or name)
    if options.from_account is None and context.environ.get(options.api_key_env or _KEY):
        adopt = _is_yes(context.console, "Declare the active meters that it has?", "y")
        options = replace(options, from_account=adopt)
    if options.ci is None:
        options = replace(options, ci=_ask_for_host(context.console))
    return options


def _ask_for_host(console: Console) -> str | None:
    answer = console.ask("CI workflow, github or gitlab [none]: ").lower() or "none"
    if answer not in (*_HOSTS, "none"):
        message = f"{answer!r} is neither github nor gitlab"
        raise UsageError(usage.BAD_OPTIONS(message, hint="run `reconciler init` again"))
    return answer if answer in _HOSTS else None


def _is_yes(console: Console, question: str, default: str) -> bool:
    choices = "[Y/n]" if default == "y" else "[y/N]"
    return (console.ask(f"{question} {choices} ").lower() or default)[0] == "y"


def _get_name(options: InitOptions) -> str:
    return options.account or ("production" if options.livemode else "sandbox")


def _build_account(options: InitOptions) -> NewAccount:
    key = _KEY if options.api_key_env is None else options.api_key_env
    if any(holds_key(each) for each in (key, options.account, options.api_base)):
        hint = "pass the name of the environment variable that holds the key"
        raise UsageError(usage.BAD_OPTIONS("an option contains an API key", hint=hint))
    return NewAccount(
        name=_get_name(options),
        api_key_env=key,
        api_base=options.api_base,
        livemode=bool(options.livemode),
    )


def _parse_account(account: NewAccount, path: str) -> Account:
    """Return the account as its project file will be read; raise UsageError for invalid options."""
    text = new_project.write_project_file(account, declares_elsewhere=False)
    project = read_project(text.encode(), PROJECT_FILE, Folder(os.path.abspath(path), path))
    for error in project.diagnostics:
        if error.level is Level.ERROR:
            hint = "--account, --api-key-env and --api-base are values of the project file"
            raise UsageError(usage.BAD_OPTIONS(error.message, hint=error.hint or hint))
    return project.entries[0].account


def _load_declared(path: str, account: Account) -> Account:
    """Return the account with the meters that files in the folder declare already.

    Without such files, the YAML files of other tools in it do not matter.
    """
    found = find_meter_files(Folder(os.path.abspath(path), path))
    if not any(globs.is_usual(name) for name, _ in found):
        return account
    (existing,) = load_accounts(path).accounts
    return replace(account, declared=existing.declared, files=existing.files)


def _read_account(start: _Start, session: Session) -> _Start:
    """Add the meters and the id of the account; raise RefusedError for one of another mode."""
    existing = session.meters.list_all()
    snapshot = take_snapshot(session, (), existing)
    exit_code, said = check_account(session.account, snapshot)
    if exit_code is not Exit.DONE:
        raise RefusedError(*said)
    own = snapshot.own_id if isinstance(snapshot.own_id, str) else None
    adopted = adopt_meters(existing, session.account, Wanted())
    account = replace(start.account, account_id=own)
    return replace(start, account=account, adopted=adopted, ref=snapshot.account)


def _build_contents(options: InitOptions, start: _Start) -> dict[str, str]:
    """Return the new files by path; the project file comes last, so that it completes the rest."""
    inside = new_project.list_schemas()
    first = new_project.ADOPTED if start.declares_elsewhere else new_project.METERS
    if start.adopted.adoptions or not start.declares_elsewhere:
        inside[first] = new_project.write_first_meters(start.adopted.adoptions)
    if not os.path.lexists(os.path.join(options.path, ".gitignore")):
        inside[".gitignore"] = new_project.extend_gitignore("") or ""
    contents = {os.path.join(options.path, name): text for name, text in inside.items()}
    if options.ci:
        contents |= _write_workflows(options, start)
    text = new_project.write_project_file(
        start.account, declares_elsewhere=start.declares_elsewhere
    )
    return {**contents, os.path.join(options.path, PROJECT_FILE): text}


def _write_workflows(options: InitOptions, start: _Start) -> dict[str, str]:
    """Return the CI files by their path, which is below the root of the repository."""
    folder = Path(os.path.realpath(options.path))
    top = find_repository(folder) or folder
    project, key = folder.relative_to(top).as_posix(), start.account.api_key_env
    if options.ci == "github":
        contents = write_github_workflows(project, key)
    else:
        exists = os.path.lexists(top / GITLAB_FILE)
        name = GITLAB_INCLUDED if exists else GITLAB_FILE
        contents = {name: write_gitlab_pipeline(project, key)}
    steps = os.path.relpath(top, folder)
    return {
        os.path.normpath(os.path.join(options.path, steps, name)): text
        for name, text in contents.items()
    }


def _extend_gitignore(path: str) -> tuple[str | None, Callable[[], None]]:
    """Return the existing `.gitignore` that gets an entry, and what adds it."""
    file = os.path.join(path, ".gitignore")
    if not os.path.lexists(file):
        return None, lambda: None
    text = new_project.extend_gitignore(files.read(file))
    if text is None:
        return None, lambda: None
    return file, lambda: files.replace_file(file, text)


def _list_next(options: InitOptions, start: _Start, contents: Iterable[str]) -> list[str]:
    """Return what to do next; `contents` are the paths of the new files."""
    at = "" if options.path == "." else f" {shlex.quote(options.path)}"
    first, adopted = (
        os.path.normpath(os.path.join(options.path, name))
        for name in (new_project.METERS, new_project.ADOPTED)
    )
    steps = []
    if not options.from_account:
        steps.append(f"export {start.account.api_key_env}, and run `reconciler doctor{at}`")
        adopt = f"`reconciler import{at} --into {shlex.quote(adopted)}`"
        steps.append(f"{adopt} declares the meters that the account has")
    if not (options.from_account or start.declares_elsewhere):
        steps.append(f"declare new meters in {first}")
    if options.from_account and start.ref.id is None:
        steps.append(
            f"add `account_id: acct_…` to {start.account.name} in the project file, so that no "
            "other account is written to: the key may not read it, the Dashboard shows it"
        )
    steps.append(f"run `reconciler plan{at}` to see what `apply` would change")
    if any(file.endswith(GITLAB_INCLUDED) for file in contents):
        include = f"`include: {{local: {GITLAB_INCLUDED}}}`"
        steps.append(f"add {include} to {GITLAB_FILE}")
    if options.ci:
        steps.append("follow the comment at the top of each CI file")
    return steps


COMMAND = Command(
    InitOptions,
    "Start a project: a project file, a first meter file, their schemas for editors, an entry in "
    ".gitignore and, with --ci, a workflow. No file is replaced. On a terminal it asks for what "
    "the options do not say.",
    _init,
    PLAIN,
)
