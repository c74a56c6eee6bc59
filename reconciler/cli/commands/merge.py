"""`merge`: join the JSON reports of the shards of a run into one report."""

from __future__ import annotations

from typing import Annotated

from ...diagnostics.codes import usage
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import ConfigError, UsageError
from ...render import Document
from ...report.report import Report
from ...report.shards import Source, merge_reports
from ..arguments import Options, positional
from ..context import Command, Context
from ..fleet.parts import read_report_file


class MergeOptions(Options, frozen=True, kw_only=True):
    """The reports to join."""

    reports: Annotated[
        tuple[str, ...],
        positional(
            "the files that `--out json=FILE` of plan, apply or drift wrote, one of each shard",
            "REPORT",
        ),
    ] = ()

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the reports to join."""
        return tuple((report, "report to merge") for report in self.reports)


def _merge(options: MergeOptions, _: Context) -> Document:
    if not options.reports:
        hint = "`reconciler merge REPORT…` joins what `--out json=REPORT` of each shard wrote"
        raise UsageError(usage.BAD_OPTIONS("the files of the reports are missing", hint=hint))
    return merge_reports(_read_all(options.reports))


def _read_all(paths: tuple[str, ...]) -> list[Source]:
    """Read every report; raise ConfigError with the errors of all."""
    sources: list[Source] = []
    errors: list[Diagnostic] = []
    for path in paths:
        try:
            report: Report = read_report_file(path)
        except ConfigError as error:
            errors += error.diagnostics
        else:
            sources.append(Source(path, report))
    if errors:
        raise ConfigError(*errors)
    return sources


COMMAND = Command(
    MergeOptions,
    "Join the JSON reports of the shards of one run (plan, apply or drift with --shard I/N) into "
    "one report. The exit code is the worst of them; a shard without a report is an error. Needs "
    "neither a key nor the project.",
    _merge,
)
