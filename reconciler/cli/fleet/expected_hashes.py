"""The hashes of `apply --expect`: one for one account, a file of them for several."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping

from ...diagnostics.codes import fleet as rules
from ...diagnostics.codes import usage
from ...diagnostics.diagnostic import Location
from ...diagnostics.errors import ConfigError, UsageError
from ...diagnostics.shorten import shorten
from .. import files

_HASH = re.compile(r"[0-9a-f]{64}")


def is_file(expect: str) -> bool:
    """Whether `--expect` names a file, and is no hash."""
    return expect.endswith(".json")


def read_expected(expect: str | None, accounts: Iterable[str]) -> Mapping[str, str] | None:
    """Return the expected plan_hash of each account; None where none is expected.

    `expect` is a hash, or the name of a JSON file. Raise ConfigError.
    """
    if expect is None:
        return None
    if not is_file(expect):
        return dict.fromkeys(accounts, expect)
    return _parse(files.read(expect, rules.EXPECTED_HASHES.remedy), expect)


def check_expected(
    expect: str | None,
    hashes: Mapping[str, str] | None,
    accounts: Collection[str],
    find_known: Callable[[Iterable[str]], set[str]],
) -> None:
    """Check the hashes of `expect`, if any, against the accounts that are run.

    A hash is of the only account. Every account has to be in a file, and the project must have
    every account of the file. Raise UsageError or ConfigError.
    """
    if expect is None or hashes is None:
        return
    if not is_file(expect):
        if len(accounts) > 1:
            message = f"--expect HASH takes one account, and {len(accounts):,} are selected"
            hint = "give a file: --expect FILE.json with the plan_hash of each account"
            raise UsageError(usage.BAD_OPTIONS(message, hint=hint))
        return
    if missing := [name for name in accounts if name not in hashes]:
        raise _refuse(expect, f"no plan_hash of {_name(missing)}")
    if unknown := sorted(hashes.keys() - find_known(hashes)):
        raise _refuse(expect, f"the project does not have {_name(unknown)}")


def _parse(text: str, file: str) -> dict[str, str]:
    """Return the object in a file; raise ConfigError where it is another, or names one twice."""
    try:
        pairs = json.loads(text, object_pairs_hook=list)
        found = dict(pairs)
        valid = isinstance(pairs, list) and len(found) == len(pairs)
    except (ValueError, TypeError, RecursionError):
        valid = False
    if not valid:
        raise _refuse(file, 'not a JSON object of the form {"account": "plan_hash", …}')
    if unplanned := [str(name) for name, each in found.items() if each is None]:
        hint = "correct the error of the plan, or remove the account here and select others with "
        hint += "--account"
        raise _refuse(file, f"no plan_hash of {_name(unplanned)}: not planned, for an error", hint)
    wrong = [str(n) for n, h in found.items() if not (isinstance(h, str) and _HASH.fullmatch(h))]
    if wrong:
        raise _refuse(file, f"not a plan_hash: the value of {_name(wrong)}")
    return found


def _refuse(file: str, message: str, hint: str = "") -> ConfigError:
    return ConfigError(rules.EXPECTED_HASHES(message, Location(file), hint))


def _name(accounts: list[str]) -> str:
    word = "account" if len(accounts) == 1 else f"{len(accounts):,} accounts:"
    return f"{word} {shorten(', '.join(accounts))}"
