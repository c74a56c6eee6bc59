"""The options of `plan`, `apply` and `drift`, and what begins before files are read."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from typing import Annotated, Self

from ...config.loader import BeforeReading, do_nothing
from ...model.finding import Severity
from ..arguments import PRIVATE, ScopedOptions, flag, option, parse_whole_number
from ..context import Context
from .expected_hashes import is_file

CONCURRENCY, MOST_CONCURRENCY = 8, 256
APPLY_HELP = "see `reconciler apply --help`"
_SHARD = re.compile(r"([0-9]{1,5})/([0-9]{1,5})", re.ASCII)
_ADDRESS = re.compile(
    r"(?:(?:tcp|tls|ws|wss)://)?[^\s/:@?#]+:\d{1,5}|(?:tcp|tls)://\[[\da-fA-F:]+\]:\d{1,5}"
)


def parse_shard(word: str) -> tuple[int, int]:
    """Parse `I/N`."""
    from ...report.report import MOST_SHARDS

    found = _SHARD.fullmatch(word)
    if not found:
        raise argparse.ArgumentTypeError(f"{word!r} is not I/N, such as 3/10")
    index, count = int(found[1]), int(found[2])
    if not 1 <= index <= count <= MOST_SHARDS:
        message = f"{word!r} is out of range: 1 ≤ I ≤ N ≤ {MOST_SHARDS:,}"
        raise argparse.ArgumentTypeError(message)
    return index, count


def parse_concurrency(word: str) -> int:
    """Parse how many accounts are worked on side by side."""
    if 1 <= (number := parse_whole_number(word)) <= MOST_CONCURRENCY:
        return number
    raise argparse.ArgumentTypeError(f"{word} is not between 1 and {MOST_CONCURRENCY}")


def parse_address(word: str) -> str:
    """Parse the address of a scheduler."""
    if _ADDRESS.fullmatch(word):
        return word if "://" in word else f"tcp://{word}"
    raise argparse.ArgumentTypeError(
        f"{word!r} is not the address of a Dask scheduler, such as tcp://127.0.0.1:8786"
    )


class FleetOptions(ScopedOptions, frozen=True, kw_only=True):
    """The options of a command on many accounts: how many side by side, and which part of them."""

    concurrency: Annotated[
        int,
        option(
            f"work on up to N accounts side by side (default: {CONCURRENCY})",
            metavar="N",
            type=parse_concurrency,
        ),
    ] = CONCURRENCY
    dask: Annotated[
        str | None,
        option(
            "process the accounts on the workers of a Dask cluster; ADDRESS is its scheduler, and "
            "--concurrency counts over all workers",
            metavar="ADDRESS",
            type=parse_address,
        ),
    ] = None
    shard: Annotated[
        tuple[int, int] | None,
        option(
            "only the I-th of N parts of the selected accounts; `reconciler merge` "
            "joins the reports",
            metavar="I/N",
            type=parse_shard,
        ),
    ] = None
    resume: Annotated[
        str | None,
        option(
            "continue the run of this JSON report: skip accounts that succeeded, run the others",
            metavar="REPORT",
        ),
    ] = None

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the report to resume."""
        return ((self.resume, "report to resume"),) if self.resume else ()


def begin_ahead(
    options: FleetOptions, context: Context, patterns: tuple[str, ...]
) -> BeforeReading:
    """Return what reads the only account of a run ahead, where it is sure to be read here."""
    if options.dask or options.shard or options.resume:
        return do_nothing
    return context.ahead.select(patterns)


def is_folder(path: str) -> bool:
    """Whether a path is meant as a folder: it is one, or ends in a slash."""
    return path.endswith(("/", os.sep)) or os.path.isdir(path)


class PlanOptions(FleetOptions, frozen=True, kw_only=True):
    """Where to save the plan, whether changes have an exit code of their own, and what to show."""

    save: Annotated[
        str | None,
        option(
            "save the plan for `apply --plan FILE`; with several accounts, or where it is a folder "
            "or ends in a slash, to a folder with a file for each",
            metavar="FILE",
        ),
    ] = None
    detailed_exitcode: Annotated[bool, flag("exit 2 instead of 0 if there are changes")] = False
    prices: Annotated[
        bool, flag("show the prices in use of all meters, not only of those that change")
    ] = False

    def writes(self) -> tuple[tuple[str, int], ...]:
        """Return the saved plan as well; what is saved to a folder is checked later."""
        saved = [(self.save, PRIVATE)] if self.save and not is_folder(self.save) else []
        return (*FleetOptions.writes(self), *saved)

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the folder of saved plans as well, which takes no report."""
        saved = [(self.save, "saved plans")] if self.save and is_folder(self.save) else []
        return (*FleetOptions.reads(self), *saved)


_MOST = 100  # customers of a sample


def _parse_sample(word: str) -> int:
    number = int(word) if word.isascii() and word.isdigit() and len(word) < 4 else 0
    if 1 <= number <= _MOST:
        return number
    raise argparse.ArgumentTypeError(f"{word!r} is not a whole number from 1 to {_MOST}")


class DriftOptions(FleetOptions, frozen=True, kw_only=True):
    """The lowest severity of a finding that makes the exit code 2, and the size of samples."""

    fail_on: Annotated[
        str,
        option(
            "exit 2 only for findings of this severity or worse (default: low)",
            choices=[str(severity) for severity in reversed(Severity)],
        ),
    ] = str(Severity.LOW)
    sample_usage: Annotated[
        int,
        option(
            f"also read what up to N customers of each meter used in the last 7 days "
            f"(1 to {_MOST}); "
            "costs about N + 2 more requests for each meter, fewer where usage is found",
            metavar="N",
            type=_parse_sample,
        ),
    ] = 0


class ApplyOptions(FleetOptions, frozen=True, kw_only=True):
    """Which plan to apply, whether to ask first, and what to do about refused changes."""

    yes: Annotated[bool, flag("apply without asking for confirmation")] = False
    plan: Annotated[
        str | None,
        option(
            "apply exactly this saved plan, or each plan in this folder, without asking",
            metavar="FILE",
        ),
    ] = None
    expect: Annotated[
        str | None,
        option(
            "apply only if the new plan has this plan_hash; with several accounts a FILE.json: "
            '{"account": "plan_hash", …}',
            metavar="HASH",
        ),
    ] = None
    approved: Annotated[
        str | None,
        option(
            "with --expect: the saved plan, or folder of plans, that was approved, to show what "
            "differs; never applied",
            metavar="FILE",
        ),
    ] = None
    skip_refused: Annotated[bool, flag("apply the remaining changes; still exits 3")] = False
    no_journal: Annotated[bool, flag("do not keep a journal in .reconciler/")] = False

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the plans and the file of hashes as well."""
        hashes = self.expect if self.expect and is_file(self.expect) else None
        own = (
            (self.plan, "plan to apply"),
            (self.approved, "approved plan"),
            (hashes, "file of expected hashes"),
        )
        return (*FleetOptions.reads(self), *((file, what) for file, what in own if file))

    def read_environment(self, environ: Mapping[str, str]) -> Self:
        """Return the options; a saved plan says itself which account it is for."""
        return self if self.plan else FleetOptions.read_environment(self, environ)
