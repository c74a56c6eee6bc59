"""Load a project: its accounts with their declared meters, or every error in its files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.errors import ConfigError
from ..model.meter import Status
from ..model.project import Account, Project
from . import discovery, globs
from .discovery import PROJECT_FILE, Start
from .meter_file import MeterFile, find_duplicates, find_lookalikes, find_retired_twice, read_meters
from .project_file import Entry, build_default_project, read_project
from .secret_scan import redact
from .source_lines import add_source_lines


def load(path: str | os.PathLike[str] = ".") -> Project:
    """Read and check the project at a path; offline, without a key.

    The path is a project folder, its project file, or one meter file, which belongs to the
    nearest project file above it. `accounts` of the result has each account with the meters
    declared for it, `diagnostics` the warnings. Raises ConfigError with every error of all
    files, in the order of their locations.
    """
    start = discovery.start_from(path)
    reader = _Reader(start)
    accounts = tuple(map(reader.read_account, reader.read_entries()))
    diagnostics = tuple(add_source_lines(_sort(reader.diagnostics), reader.contents))
    if any(diagnostic.level is Level.ERROR for diagnostic in diagnostics):
        raise ConfigError(*diagnostics)
    reader.refuse_unselected()
    return Project(start.folder.root, accounts, diagnostics, start.only is not None)


def _sort(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort diagnostics by location, without duplicates and without API keys."""
    once = dict.fromkeys(map(redact, diagnostics))
    return tuple(sorted(once, key=lambda p: (p.location or Location(""), p.code, p.message)))


class _Reader:
    """Reads the files of a project, each once; `contents` has them as read, by shown path."""

    def __init__(self, start: Start) -> None:
        self.diagnostics: list[Diagnostic] = [*start.diagnostics]
        self.contents: dict[str, bytes] = {}
        self._start = start
        self._files: dict[str, MeterFile] = {}

    def read_entries(self) -> tuple[Entry, ...]:
        """Read the accounts of the project file, or the default account."""
        if self._start.project_file is None:
            return build_default_project().entries
        try:
            data, shown = self._read(self._start.project_file)
        except ConfigError as error:
            self.diagnostics += error.diagnostics
            return ()
        project = read_project(data, shown, self._start.folder)
        self.diagnostics += project.diagnostics
        return project.entries

    def read_account(self, entry: Entry) -> Account:
        """Complete the account of an entry with the declarations in its files."""
        files = [self._read_meter_file(name) for name in self._select_files(entry)]
        names = [name for file in files for name in file.names]
        self.diagnostics += find_duplicates(names)
        declared = [one for file in files for one in file.declared]
        retired = {one.event_name for one in declared if one.status is Status.INACTIVE}
        self.diagnostics += find_lookalikes(one for one in names if one[0] not in retired)
        self.diagnostics += find_retired_twice(declared)
        by_name = sorted(declared, key=lambda one: one.event_name)
        return replace(entry.account, declared=tuple(by_name))

    def refuse_unselected(self) -> None:
        """Raise ConfigError if the one requested file is not used by any account."""
        only = self._start.only
        if only is not None and only not in self._files:
            message = f"no `meters` pattern in {PROJECT_FILE} matches this file"
            raise ConfigError(codes.NOT_SELECTED(message, self._start.folder.show(only)))

    def _read(self, name: str) -> tuple[bytes, str]:
        shown = self._start.folder.show(name).file
        self.contents[shown] = data = discovery.read_file(self._start.folder, name)
        return data, shown

    def _read_meter_file(self, name: str) -> MeterFile:
        if name not in self._files:
            try:
                file = read_meters(*self._read(name))
            except ConfigError as error:
                file = MeterFile(error.diagnostics)
            self._files[name] = file
            self.diagnostics += file.diagnostics
        return self._files[name]

    def _select_files(self, entry: Entry) -> list[str]:
        """List the files of an entry, in order; of several links to one file, the first."""
        only = self._start.only
        if only is None:
            names = self._find_files(entry)
        elif self._start.project_file is None:
            names = [only]
        else:
            selected = any(globs.matches(only, pattern.glob) for pattern in entry.patterns)
            names = [only] if selected else []
        path = self._start.folder.build_path
        real = {os.path.realpath(path(name)): name for name in reversed(names)}
        return sorted(real.values())

    def _find_files(self, entry: Entry) -> list[str]:
        """Find the files that the patterns of an entry match; report patterns without a match."""
        folder = self._start.folder
        found, diagnostics = discovery.find_files(folder, [p.glob for p in entry.patterns])
        self.diagnostics += diagnostics
        unread = any(one.level is Level.ERROR for one in diagnostics)
        names = sorted({name for names in found.values() for name in names})
        explicit = [pattern for pattern in entry.patterns if pattern.location]
        if entry.patterns and not (names or explicit or unread):
            message = "no meter files found"
            if self._start.project_file:
                message += f" (`{PROJECT_FILE}` is not one)"
            self.diagnostics.append(codes.NO_METER_FILES(message, folder.show("")))
        reported = {diagnostic.location for diagnostic in self.diagnostics}
        for pattern in explicit:
            if not (found[pattern.glob] or unread or pattern.location in reported):
                message = f"no file in the project matches `{pattern.glob}`"
                self.diagnostics.append(codes.GLOB_WITHOUT_MATCH(message, pattern.location))
        return names
