"""A folder of saved plans: one file for each account, named after it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import quote

from ...clock import Clock
from ...diagnostics.codes import fleet as rules
from ...diagnostics.codes import guards, usage
from ...diagnostics.diagnostic import Diagnostic, Location
from ...diagnostics.errors import ConfigError, UsageError
from ...diagnostics.shorten import shorten
from ...planning.plan import Plan
from ...planning.plan_file import dump_plan, load_plan
from .. import files
from ..arguments import PRIVATE

_ENDING = ".json"


def name_files(accounts: Iterable[str]) -> dict[str, str]:
    """Return the name of the plan file of each account.

    A name is percent-encoded, so that `partners/acct_1` is one file; where names differ only in
    case, which some file systems ignore, the files are numbered.
    """
    named: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for account in accounts:
        name = quote(account, safe="")
        seen[name.casefold()] += 1
        number = f"~{seen[name.casefold()]}" if seen[name.casefold()] > 1 else ""
        named[account] = f"{name}{number}{_ENDING}"
    return named


class SavedPlans(Protocol):
    """Where the plans of a run are saved."""

    def prepare(self, kept: Iterable[str] = ()) -> None:
        """Check that every plan can be written; raise UsageError."""

    def save(self, account: str, plan: Plan) -> None:
        """Write the plan of an account."""

    def holds(self, account: str, plan_id: str | None) -> bool:
        """Whether this plan of an account is saved."""


class PlanFile:
    """The file of `--save` for one account; it is open already."""

    def __init__(self, target: files.Target) -> None:
        self._target = target

    def prepare(self, kept: Iterable[str] = ()) -> None:
        """Do nothing: an older plan stays until it is replaced."""

    def save(self, account: str, plan: Plan) -> None:
        """Replace the file."""
        self._target.write(dump_plan(plan))

    def holds(self, account: str, plan_id: str | None) -> bool:
        """Return False: the file is written anew by every run."""
        return False


class PlanFolder:
    """The folder of `--save` for several accounts."""

    def __init__(
        self, folder: str, accounts: Iterable[str], clock: Clock, resumed: str | None
    ) -> None:
        self._folder = folder
        self._files = {
            account: os.path.join(folder, name) for account, name in name_files(accounts).items()
        }
        self._clock = clock
        self._resumed = resumed
        self._targets: dict[str, files.Target] = {}

    def prepare(self, kept: Iterable[str] = ()) -> None:
        """Create the folder, and check that every plan can be written; raise UsageError.

        Older plans of these accounts are removed, so that no account is left with one if its run
        fails; those of the `kept` accounts stay. A plan of another account is an error, and so is
        the report that is resumed.
        """
        if self._resumed and files.is_json_file_of(self._resumed, self._folder):
            message = f"{self._resumed} is the report to resume: --save would remove it"
            raise UsageError(usage.PROTECTED_FILE(message))
        try:
            files.refuse_protected(os.path.join(self._folder, _ENDING))
            if not os.path.isdir(self._folder):
                os.mkdir(self._folder)
            found = set(_list_plans(self._folder))
        except OSError as error:
            raise UsageError(files.describe_unwritable(self._folder, _explain(error))) from None
        others = sorted(found - {os.path.basename(file) for file in self._files.values()})
        if others:
            message = f"it holds plans that this run does not write: {shorten(', '.join(others))}"
            raise UsageError(rules.PLANS_FOLDER(message, Location(self._folder)))
        staying = set(kept)
        for account, file in self._files.items():
            self._targets[account] = self._open(file)
            if account not in staying and os.path.basename(file) in found:
                os.unlink(file)

    def save(self, account: str, plan: Plan) -> None:
        """Write the plan of an account."""
        self._targets[account].write(dump_plan(plan))

    def holds(self, account: str, plan_id: str | None) -> bool:
        """Whether the folder has this plan of an account, complete and unchanged."""
        file = self._files[account]
        try:
            return load_plan(files.read(file), file).plan_id == plan_id
        except ConfigError:
            return False

    def _open(self, file: str) -> files.Target:
        """Check that a plan can be written; a stream could not be read as one later."""
        target = files.open_target(file, PRIVATE, self._clock)
        target.close()
        if target.is_stream:
            raise UsageError(files.describe_unwritable(file, "it is not a regular file"))
        return target


def load_plans(path: str) -> dict[str, Plan]:
    """Return the plans of a file or a folder by account; raise ConfigError."""
    if not os.path.isdir(path):
        plan = load_plan(files.read(path, files.SAVED_PLAN), path)
        return {plan.target.name: plan}
    plans: dict[str, Plan] = {}
    errors: list[Diagnostic] = []
    for name in sorted(_list_plans(path)):
        file = os.path.join(path, name)
        try:
            plan = load_plan(files.read(file, files.SAVED_PLAN), file)
        except ConfigError as error:
            errors += error.diagnostics
            continue
        if plan.target.name in plans:
            message = f"a second plan for account {plan.target.name!r}"
            errors.append(rules.PLANS_FOLDER(message, Location(file)))
        plans[plan.target.name] = plan
    if not (plans or errors):
        message = "there is no saved plan in this folder"
        errors.append(rules.PLANS_FOLDER(message, Location(path), files.SAVED_PLANS))
    if errors:
        raise ConfigError(*errors)
    return plans


def read_approved(path: str) -> Mapping[str, Plan] | Diagnostic:
    """Return the approved plans by account; of a file that is none, only a warning."""
    if not os.path.isdir(path):
        files.read(path, files.SAVED_PLAN)
    try:
        return load_plans(path)
    except ConfigError as error:
        return guards.NOT_COMPARED(error.diagnostics[0].message, Location(path))


def _list_plans(folder: str) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(_ENDING)]


def _explain(error: OSError) -> str:
    return error.strerror or str(error)
