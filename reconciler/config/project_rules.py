"""Check what a schema cannot express: conflicting keys, paths, dates and duplicate accounts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import combinations
from typing import Any

from .._version import __version__
from ..diagnostics.codes import config as codes
from ..diagnostics.codes import fleet
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.suggest import suggest
from ..model.event import REACH
from ..model.pattern import matches
from ..timestamps import format_duration, parse_duration
from ..trusted_url import is_trusted_api_base
from .connected_accounts import ListedAccounts
from .discovery import Folder, is_outside
from .schema import CheckedFile
from .secret_scan import holds_key
from .yaml.parsed_file import ParsedFile, Path
from .yaml.source_text import clip

_ONLY_WITH_KEY = (
    *("api_key_env", "stripe_account", "stripe_context", "api_base"),
    *("connected_accounts", "platform_rate_limit"),
)
# Names under which git, the journal or the loader would take the emulator's state for theirs.
_OTHER_FILE = re.compile(r"\.ya?ml\Z|(?:\A|/)(?:\.reconciler/journal\.|\.git[a-z]*\Z)")


def find_unmet_version(parsed: ParsedFile) -> Diagnostic | None:
    """Return an error where the file requires another version of this tool; None if it does not.

    A file for another version may have keys that this one does not know, so nothing else of it is
    checked.
    """
    required = parsed.value.get("requires") if isinstance(parsed.value, dict) else None
    if not isinstance(required, str) or _accepts_this_version(required) is not False:
        return None
    message = f"this project requires reconciler {clip(required)}, and this is {__version__}"
    import shlex

    hint = f"install that version: pip install {shlex.quote(f'meter-reconciler{required}')}"
    return codes.OTHER_VERSION_REQUIRED(message, parsed.locate(("requires",)), hint)


def _accepts_this_version(required: str) -> bool | None:
    """Whether a version specifier includes this version; None for an invalid specifier."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # only some projects need it

    try:
        return SpecifierSet(required).contains(__version__, prereleases=True)
    except InvalidSpecifier:
        return None


def check(
    file: CheckedFile, folder: Folder, connected: Mapping[str, ListedAccounts]
) -> Iterator[Diagnostic]:
    """Report every error in what is valid by the schema, whether or not the rest is."""
    parsed, accounts = file.parsed, file.value.get("accounts", {})
    required = file.value.get("requires")
    if required is not None and _accepts_this_version(required) is None:
        message = f"`requires` has an invalid version: `{clip(required)}`"
        hint = 'write versions such as ">=0.3" or ">=0.3,<1"'
        yield codes.BAD_TEXT(message, parsed.locate(("requires",)), hint)
    yield from _check_level(parsed, (), file.value)
    for name, settings in accounts.items():
        path = ("accounts", name)
        yield from _check_level(parsed, path, settings)
        yield from _check_emulator_files(parsed, path, settings, folder)
        yield from _check_access(parsed, path)
        yield from _check_connection(parsed, path, settings)
    yield from _check_same_accounts(parsed, accounts, folder, connected)
    yield from _check_groups(file, accounts, connected)
    yield from _check_mapping(file, accounts)
    yield from _check_owns(file, accounts)


def _check_level(
    parsed: ParsedFile, path: Path, settings: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    """Check patterns, the window of usage and exemptions of the project or of one account."""
    for index, glob in enumerate(settings.get("meters", ())):
        if glob and is_outside(glob):
            yield _report_outside(parsed, (*path, "meters", index), glob)
    window = (settings.get("policy") or {}).get("usage_window")
    if window and parse_duration(window) > REACH:
        message = f"`usage_window` is {window}; the maximum is {format_duration(REACH)}, for which "
        message += "Stripe keeps the reports of rejected usage"
        location = parsed.locate((*path, "policy", "usage_window"))
        yield codes.OUT_OF_RANGE(message, location)
    for index, entry in enumerate(settings.get("ignore", ())):
        until = entry and entry.get("until")
        if until and not _is_date(until):
            message = f"`until` is {until}, which is not a valid date"
            yield codes.BAD_TEXT(message, parsed.locate((*path, "ignore", index, "until")))


def _check_emulator_files(
    parsed: ParsedFile, path: Path, settings: Mapping[str, Any], folder: Folder
) -> Iterator[Diagnostic]:
    for key in settings.keys() & {"emulator", "seed"}:
        name, location = settings[key], parsed.locate((*path, key))
        full, shown = folder.build_path(name), clip(name)
        if is_outside(name):
            yield _report_outside(parsed, (*path, key), name)
        elif not folder.holds(full):
            message = f"`{shown}` is a link to a path outside the project folder"
            yield codes.OUTSIDE(message, location)
        elif ".git" in name.lower().split("/"):
            yield codes.NOT_WITHIN(f"`{shown}` is in the folder that belongs to git", location)
        elif key == "emulator" and _OTHER_FILE.search(name.lower()):
            message = f"`{shown}` is the name of another kind of file"
            yield codes.BAD_TEXT(message, location, "choose another name, for example `local.db`")
        elif kind := _find_kind(full):
            yield codes.UNREADABLE(f"`{shown}` is {kind}", location)
        elif key == "seed" and not os.path.exists(full):
            yield codes.NO_SUCH_PATH(f"no such file: `{shown}`", location)


def _find_kind(path: str) -> str | None:
    """Say what is at a path that is neither free nor a regular file."""
    if os.path.islink(path):
        return "a symbolic link"
    if os.path.isdir(path):
        return "a folder"
    return None if os.path.isfile(path) or not os.path.lexists(path) else "not a regular file"


def _report_outside(parsed: ParsedFile, path: Path, name: str) -> Diagnostic:
    message = f"`{clip(name)}` is outside the project folder"
    return codes.NOT_WITHIN(message, parsed.locate(path))


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _check_access(parsed: ParsedFile, path: Path) -> Iterator[Diagnostic]:
    """Check that an account has either a key or the emulator, and no key of the other."""
    given = parsed.get(path)
    conflicts = []
    if "emulator" in given:
        conflicts = [(key, "emulator") for key in _ONLY_WITH_KEY if key in given]
    elif not any(suggest(word, ("api_key_env", "api_key", "emulator")) for word in given):
        message = f"account `{clip(str(path[-1]))}` has neither `api_key_env` nor `emulator`"
        hint = "set the name of the variable that holds its key: `api_key_env: STRIPE_API_KEY`"
        yield codes.MISSING_KEY(message, parsed.locate_head(path), hint)
    elif "seed" in given:
        yield codes.CONFLICTING_KEYS(
            "`seed` requires `emulator`", parsed.locate_key((*path, "seed"))
        )
    if "platform_rate_limit" in given and not any(
        suggest(word, ("connected_accounts",)) for word in given
    ):
        message = "`platform_rate_limit` requires `connected_accounts`"
        yield codes.CONFLICTING_KEYS(message, parsed.locate_key((*path, "platform_rate_limit")))
    exclusive = ("stripe_account", "stripe_context", "connected_accounts")
    pairs = combinations(exclusive, 2)
    conflicts += [(key, other) for other, key in pairs if {key, other} <= given.keys()]
    for key, other in conflicts:
        message = f"`{key}` cannot be combined with `{other}`"
        yield codes.CONFLICTING_KEYS(message, parsed.locate_key((*path, key)))


def _check_connection(
    parsed: ParsedFile, path: Path, settings: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    """Check the address, and for a key of an unknown kind instead of the name of a variable."""
    name, address = settings.get("api_key_env", ""), settings.get("api_base")
    if name.startswith(("sk_", "rk_")) and not holds_key(name):
        message = f"`api_key_env` must name an environment variable, not an API key (`{name[:3]}…`)"
        yield codes.KEY_IN_FILE(message, parsed.locate((*path, "api_key_env")))
    if address and "emulator" not in settings and not is_trusted_api_base(address):
        message = "`api_base` must be an https URL, or an http URL on a loopback address"
        hint = "write https://HOST or http://127.0.0.1:PORT in ASCII, without user, query, fragment"
        yield codes.BAD_TEXT(message, parsed.locate((*path, "api_base")), hint)


_SHARED_KEY = (
    "merge the two entries; if each is run with another key in the variable, give both `account_id`"
)


def _check_same_accounts(
    parsed: ParsedFile,
    accounts: Mapping[str, Any],
    folder: Folder,
    connected: Mapping[str, ListedAccounts],
) -> Iterator[Diagnostic]:
    """Check for entries with the same account: by key, by id, or by emulator file.

    Entries whose key is in one variable are different accounts if their `account_id`, or the mode
    beside it, differs: each job may set the variable to another key, and a key of another account
    is refused.
    """
    first: dict[tuple[Any, ...], list[tuple[tuple[str, bool] | None, str]]] = {}
    for name, settings in accounts.items():
        id_ = settings.get("account_id")
        own = (id_, settings.get("livemode", False)) if id_ else None
        for shown, location, identities in _list_accounts(
            parsed, name, settings, folder, connected
        ):
            same = (
                (other, one[0])
                for one in identities
                for known, other in first.get(one, ())
                if one[0] != "key" or own is None or known in (None, own)
            )
            if found := next(same, None):
                message = f"accounts `{clip(found[0])}` and `{clip(shown)}` are the same account"
                hint = _SHARED_KEY if found[1] == "key" else ""
                yield codes.SAME_ACCOUNT(message, location, hint)
            for one in identities:
                first.setdefault(one, []).append((own, shown))


def _list_accounts(
    parsed: ParsedFile,
    name: str,
    settings: Mapping[str, Any],
    folder: Folder,
    connected: Mapping[str, ListedAccounts],
) -> Iterator[tuple[str, Location, tuple[tuple[Any, ...], ...]]]:
    """Yield the accounts of an entry: the name of each, its location and its identities."""
    head = parsed.locate_key(("accounts", name))
    listed = connected.get(name)
    if listed is None:
        yield name, head, tuple(_list_identities(settings, folder))
    elif listed.ids is None:
        yield name, head, (("key", settings.get("api_key_env"), "all"),)
    else:
        for id_, location in listed.ids.items():
            one = {**settings, "stripe_account": id_}
            yield f"{name}/{id_}", location, tuple(_list_identities(one, folder))


def _list_identities(settings: Mapping[str, Any], folder: Folder) -> Iterator[tuple[Any, ...]]:
    connected, context = settings.get("stripe_account"), settings.get("stripe_context")
    if emulator := settings.get("emulator"):
        yield "emulator", os.path.realpath(folder.build_path(emulator))
    elif key := settings.get("api_key_env"):
        yield "key", key, connected, context
        # Requests act on the last of these that is set, whichever key is used.
        if account := context or connected or settings.get("account_id"):
            yield "id", account, settings.get("livemode", False)


def _check_groups(
    file: CheckedFile, accounts: Mapping[str, Any], connected: Mapping[str, ListedAccounts]
) -> Iterator[Diagnostic]:
    """Check that every pattern of `groups` matches an account, as far as the files tell."""
    known = list(accounts) or ["default"]
    names = [*known]
    names += [f"{name}/{id_}" for name, listed in connected.items() for id_ in listed.ids or ()]
    unlisted = [name for name, listed in connected.items() if listed.ids is None]
    unlisted += [
        name for name in accounts if file.is_attempted(("accounts", name), "connected_accounts")
    ]
    for at, group in enumerate(file.value.get("groups") or ()):
        for index, pattern in enumerate(group or ()):
            whole, slash, inner = (pattern or "").partition("/")
            if not pattern or any(matches(name, (pattern,)) for name in names):
                continue
            if not slash or not any(matches(name, (whole,)) for name in unlisted):
                close = suggest(whole, known)
                hint = f"accounts: {', '.join(known)}"
                if close and close != whole:
                    hint = f"did you mean `{close}{slash}{inner}`?"
                message = f"no account matches `{clip(pattern)}`"
                yield fleet.GROUP_WITHOUT_MATCH(
                    message, file.parsed.locate(("groups", at, index)), hint
                )


def _check_mapping(file: CheckedFile, accounts: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Check the event_names of `compare`: accounts that exist, and each name at most once."""
    known = list(accounts) or ["default"]
    first: dict[tuple[str, str], Location] = {}
    for index, entry in enumerate((file.value.get("compare") or {}).get("event_names", ())):
        for account, name in (entry or {}).items():
            path: Path = ("compare", "event_names", index, account)
            if account not in known:
                close = suggest(account, known)
                hint = f"did you mean `{close}`?" if close else f"accounts: {', '.join(known)}"
                message = f"there is no account `{clip(account)}`"
                yield codes.UNKNOWN_KEY(message, file.parsed.locate_key(path), hint)
            location = file.parsed.locate(path)
            if first.setdefault((account, name), location) is not location:
                message = f"`{clip(name)}` of account `{clip(account)}` is mapped twice, first at "
                yield codes.MAPPED_TWICE(f"{message}{first[account, name]}", location)


def _check_owns(file: CheckedFile, accounts: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Check that `owns` is set wherever `undeclared: deactivate` applies."""
    common = file.value.get("policy", {})
    paths: set[Path] = set()
    for name in accounts or [""]:
        own = accounts.get(name, {}).get("policy", {})
        effective = {**common, **own}
        levels: tuple[Path, ...] = (("policy",), ("accounts", name, "policy"))
        given = "owns" not in effective and any(file.is_attempted(at, "owns") for at in levels)
        if effective.get("undeclared") == "deactivate" and not (effective.get("owns") or given):
            paths.add((*(levels[1] if "undeclared" in own else levels[0]), "undeclared"))
    for path in paths:
        message = "`undeclared: deactivate` requires patterns in `owns`"
        yield codes.OWNS_MISSING(message, file.parsed.locate(path))
