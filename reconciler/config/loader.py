"""Load a project: its accounts with their declared meters, or every error in its files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.errors import ConfigError
from ..model.project import Account, Project
from . import discovery as files
from . import globs
from . import meter_file as declare
from .discovery import Start
from .meter_file import MeterFile
from .project_file import Entry, ProjectFile, read_project, without_project_file
from .secret_scan import redacted
from .source_lines import with_source


def load(path: str | os.PathLike[str] = ".") -> Project:
    """Read and check the project at a path; offline, without a key.

    The path is a project folder, its project file, or one meter file, which belongs to the
    nearest project file above it. `accounts` of the result has each account with the meters
    declared for it, `diagnostics` the warnings. Raises ConfigError with every error of all
    files, in the order of their locations.
    """
    start = files.start_from(path)
    contents: dict[str, bytes] = {}
    described = _described(start, contents)
    reported = {diagnostic.location for diagnostic in described.diagnostics}
    reader = _Reader(start, reported, contents)
    accounts = tuple(map(reader.account, described.entries))
    found = _in_order([*described.diagnostics, *reader.diagnostics])
    diagnostics = tuple(with_source(found, contents))
    if any(diagnostic.level is Level.ERROR for diagnostic in diagnostics):
        raise ConfigError(*diagnostics)
    reader.refuse_unselected()
    return Project(start.folder.root, accounts, diagnostics, start.only is not None)


def _described(start: Start, contents: dict[str, bytes]) -> ProjectFile:
    if start.project_file is None:
        return without_project_file()
    try:
        data = files.read_file(start.folder, start.project_file)
    except ConfigError as error:
        return ProjectFile((), error.diagnostics)
    shown = start.folder.show(start.project_file).file
    contents[shown] = data
    return read_project(data, shown, start.folder)


def _in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort diagnostics by location, without duplicates and without API keys."""
    once = dict.fromkeys(map(redacted, diagnostics))
    return tuple(sorted(once, key=lambda p: (p.location or Location(""), p.code, p.message)))


class _Reader:
    """Reads the meter files of each account, each file once, and collects diagnostics."""

    def __init__(
        self, start: Start, reported: set[Location | None], contents: dict[str, bytes]
    ) -> None:
        self.diagnostics: list[Diagnostic] = [*start.diagnostics]
        self._reported = reported
        self._start = start
        self._contents = contents
        self._files: dict[str, MeterFile] = {}

    def account(self, entry: Entry) -> Account:
        """Complete the account of an entry with the declarations in its files."""
        read = [self._file(name) for name in self._names(entry)]
        self.diagnostics += declare.twice([name for file in read for name in file.names])
        declared = [one for file in read for one in file.declared]
        self.diagnostics += declare.retired_twice(declared)
        in_order = sorted(declared, key=lambda one: one.event_name)
        return replace(entry.account, declared=tuple(in_order))

    def refuse_unselected(self) -> None:
        """Raise ConfigError if the one requested file is not used by any account."""
        only = self._start.only
        if only is not None and only not in self._files:
            message = f"no `meters` pattern in {files.PROJECT_FILE} matches this file"
            raise ConfigError(codes.NOT_SELECTED(message, self._start.folder.show(only)))

    def _file(self, name: str) -> MeterFile:
        if name not in self._files:
            shown = self._start.folder.show(name)
            try:
                data = files.read_file(self._start.folder, name)
            except ConfigError as error:
                self._files[name] = MeterFile(error.diagnostics)
            else:
                self._contents[shown.file] = data
                self._files[name] = declare.read_meters(data, shown.file)
            self.diagnostics += self._files[name].diagnostics
        return self._files[name]

    def _names(self, entry: Entry) -> list[str]:
        """List the files of an entry, in order; of several links to one file, the first."""
        only = self._start.only
        if only is None:
            names = self._found(entry)
        elif self._start.project_file is None:
            names = [only]
        else:
            selected = any(globs.matches(only, pattern.glob) for pattern in entry.patterns)
            names = [only] if selected else []
        real = {os.path.realpath(self._start.folder.path(name)): name for name in reversed(names)}
        return sorted(real.values())

    def _found(self, entry: Entry) -> list[str]:
        """Find the files that the patterns of an entry match; report patterns without a match."""
        found, diagnostics = files.find(self._start.folder, [p.glob for p in entry.patterns])
        self.diagnostics += diagnostics
        names = sorted({name for names in found.values() for name in names})
        explicit = [pattern for pattern in entry.patterns if pattern.location]
        if entry.patterns and not names and not explicit and not diagnostics:
            message = "no meter files found"
            if self._start.project_file:
                message += f" (`{files.PROJECT_FILE}` is not one)"
            self.diagnostics.append(codes.NO_METER_FILES(message, self._start.folder.show("")))
        for pattern in explicit:
            if not (found[pattern.glob] or diagnostics or pattern.location in self._reported):
                message = f"no file in the project matches `{pattern.glob}`"
                self.diagnostics.append(codes.GLOB_WITHOUT_MATCH(message, pattern.location))
        return names
