"""`generate`: write constants and builders of usage events for application code."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from ...codegen import LANGUAGES, SUFFIXES, generate
from ...codegen.declared import collect_meters
from ...config import load
from ...diagnostics.codes import codegen as rules
from ...diagnostics.diagnostic import Diagnostic, Location
from ...diagnostics.errors import Exit, UsageError
from ...planning.scope import Scope
from ...render import Document
from ...report.generated import CheckedFile, CodeCheck, CodeMeter, GeneratedCode
from .. import files
from ..accounts import select_entries
from ..arguments import ProjectOptions, option
from ..context import Command, Context


class GenerateOptions(ProjectOptions, frozen=True, kw_only=True):
    """Where to write, or which files to compare."""

    check: Annotated[
        tuple[str, ...],
        option(
            "compare a file with what would be generated, and exit with 2 if it is out of date; "
            "the language is that of its suffix, or of --format; repeatable",
            metavar="FILE",
        ),
    ] = ()

    @property
    def keeps_files(self) -> bool:
        """A file of code is only replaced with code."""
        return True


def _generate(options: GenerateOptions, _: Context) -> Document:
    languages = {file: _find_language(file, options.format) for file in options.check}
    if not (options.format or options.out or options.check):
        raise UsageError(rules.NO_LANGUAGE("no language is given"))
    project = load(options.path)
    scope = Scope().narrow_to(project)
    accounts = project.accounts
    if options.account:
        accounts = select_entries(project, options.account)
    meters = collect_meters(
        desired for each in accounts for desired in each.declared if scope.includes(desired)
    )
    if not options.check:
        return GeneratedCode(meters=meters, diagnostics=project.diagnostics)
    checked = tuple(
        CheckedFile(file, language, _is_current(file, language, meters))
        for file, language in languages.items()
    )
    stale = tuple(_describe_stale(each, options) for each in checked if not each.current)
    return CodeCheck(
        files=checked,
        diagnostics=(*project.diagnostics, *stale),
        own_exit=Exit.CHANGES if stale else Exit.DONE,
    )


def _find_language(file: str, given: str | None) -> str:
    language = SUFFIXES.get(Path(file).suffix) or SUFFIXES.get(Path(file).name) or given
    if language is None:
        message = f"--check {file}: the language does not show in the suffix"
        raise UsageError(rules.NO_LANGUAGE(message))
    return language


def _is_current(file: str, language: str, meters: tuple[CodeMeter, ...]) -> bool:
    """Whether a file holds the generated code."""
    return Path(file).exists() and files.read(file) == generate(meters, language)


def _describe_stale(stale: CheckedFile, options: GenerateOptions) -> Diagnostic:
    words = ["reconciler", "generate"]
    words += [options.path] if options.path != "." else []
    words += [word for name in options.account for word in ("--account", name)]
    command = shlex.join([*words, "--out", f"{stale.language}={stale.file}"])
    state = "is out of date" if Path(stale.file).exists() else "does not exist"
    return rules.STALE(f"the generated code {state}", Location(stale.file), f"run `{command}`")


COMMAND = Command(
    GenerateOptions,
    "Generate constants and builders of usage events for application code, from the declared "
    "meters of all accounts: offline, without a key. Retired meters are marked as deprecated.",
    _generate,
    LANGUAGES,
)
