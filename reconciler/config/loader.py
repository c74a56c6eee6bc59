"""Load a project: its accounts with their declared meters, or every error in its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from msgspec.structs import replace

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.errors import ConfigError
from ..model.meter import Status
from ..model.project import Account, Project, Undeclared, UnreadFile
from . import discovery, globs
from .discovery import PROJECT_FILE, Start
from .meter_file import (
    MeterFile,
    apply_overrides,
    check_overrides,
    check_protection,
    find_duplicates,
    find_lookalikes,
    find_retired_twice,
    read_meters,
)
from .project_file import Entry, build_default_project, read_project
from .secret_scan import redact
from .source_lines import add_source_lines
from .yaml.source_text import decode_loosely

NOTHING: Mapping[str, bytes] = MappingProxyType({})


class BeforeReading(Protocol):
    """Called for each account that has meter files, before they are read.

    Its declarations are not known yet; `alone` says that the project has no other account.
    """

    def __call__(self, account: Account, *, alone: bool) -> None:
        """Prepare for the account."""


def do_nothing(account: Account, *, alone: bool) -> None:
    """Prepare nothing."""


def load(path: str | os.PathLike[str] = ".", before_reading: BeforeReading = do_nothing) -> Project:
    """Read and check the project at a path; offline, without a key.

    The path is a project folder, its project file, or a part of a project: a folder or one meter
    file, which belong to the nearest project file above. The whole project is read; `selected` of
    the result are then the meter files of that part. `accounts` has each account with the meters
    declared for it, `diagnostics` the warnings. Raises ConfigError with every error of all files,
    in the order of their locations.
    """
    return _load(discovery.start_from(path), before_reading=before_reading)


def load_all(paths: Iterable[str | os.PathLike[str]]) -> tuple[Project, ...]:
    """Read and check the projects at several paths, each of them once, like `load`.

    Paths in one project select their parts together. Raises ConfigError with the errors of all.
    """
    starts: dict[tuple[str, str | None], Start] = {}
    errors: list[Diagnostic] = []
    for path in paths:
        with _collecting(errors):
            start = discovery.start_from(path)
            key = (start.folder.root, start.project_file)
            starts[key] = starts[key].join(start) if key in starts else start
    projects: list[Project] = []
    for start in starts.values():
        with _collecting(errors):
            projects.append(_load(start))
    if errors:
        raise ConfigError(*errors)
    return tuple(projects)


@contextmanager
def _collecting(errors: list[Diagnostic]) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        errors += error.diagnostics


def load_accounts(
    path: str | os.PathLike[str] = ".", contents: Mapping[str, bytes] = NOTHING
) -> Project:
    """Read and check the whole project that a path belongs to; it may have no meter files.

    `contents` are files by absolute path as if they were stored with this content already.
    """
    start = discovery.start_from(path)
    whole = replace(start, selected=()) if start.project_file else start
    return _load(whole, may_be_empty=True, contents=contents)


def _load(
    start: Start,
    *,
    may_be_empty: bool = False,
    contents: Mapping[str, bytes] = NOTHING,
    before_reading: BeforeReading = do_nothing,
) -> Project:
    reader = _Reader(start, may_be_empty=may_be_empty, contents=contents)
    entries = reader.read_entries()
    accounts = tuple(
        reader.read_account(each, partial(before_reading, alone=len(entries) == 1))
        for each in entries
    )
    selected = reader.select_files() if start.selected and accounts else None
    return Project(
        root=start.folder.root,
        accounts=accounts,
        diagnostics=reader.finish(),
        selected=selected,
        same_meters=reader.same_meters,
        groups=reader.groups,
    )


def _deactivates_undeclared(entry: Entry) -> bool:
    return entry.account.policy.undeclared is Undeclared.DEACTIVATE


def _sort(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort diagnostics by location, without duplicates and without API keys."""
    once = dict.fromkeys(map(redact, diagnostics))
    return tuple(sorted(once, key=lambda p: (p.location or Location(""), p.code, p.message)))


class _Reader:
    """Reads the files of a project, each once; `contents` has them as read, by shown path."""

    def __init__(
        self, start: Start, *, may_be_empty: bool = False, contents: Mapping[str, bytes] = NOTHING
    ) -> None:
        self._may_be_empty = may_be_empty
        self._pending = {os.path.realpath(path): data for path, data in contents.items()}
        self.diagnostics: list[Diagnostic] = []
        self.contents: dict[str, bytes] = {}
        self.same_meters: tuple[Mapping[str, str], ...] = ()
        self.groups: tuple[tuple[str, ...], ...] = ()
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
        project = read_project(data, shown, self._start.folder, self._read)
        self.diagnostics += project.diagnostics
        self.same_meters, self.groups = project.same_meters, project.groups
        return project.entries

    def read_account(self, entry: Entry, before_reading: Callable[[Account], None]) -> Account:
        """Complete the account of an entry with the declarations in its files."""
        listed = self._list_files(entry)
        if listed and not any(one.level is Level.ERROR for one in self.diagnostics):
            before_reading(entry.account)
        files = [self._read_meter_file(name) for name in listed]
        names = [name for file in files for name in file.names]
        self.diagnostics += find_duplicates(names)
        self.diagnostics += check_overrides(entry.account.name, files)
        declared = list(apply_overrides(files))
        retired = {one.event_name for one in declared if one.status is Status.INACTIVE}
        self.diagnostics += find_lookalikes(one for one in names if one[0] not in retired)
        self.diagnostics += find_retired_twice(declared)
        self.diagnostics += check_protection(declared)
        return replace(
            entry.account,
            declared=tuple(sorted(declared, key=lambda one: one.event_name)),
            files=tuple(self._start.folder.show(name).file for name in listed),
            unread=tuple(self._find_unread(listed)) if _deactivates_undeclared(entry) else (),
        )

    def select_files(self) -> frozenset[str]:
        """Return the files of the requested part; report those that no account reads."""
        folder, parts = self._start.folder, tuple(map(Path, self._start.selected))
        inside = {
            part: [name for name in self._files if folder.is_within(name, part)] for part in parts
        }
        for part, names in inside.items():
            self.diagnostics += self._check_part(part, names)
        return frozenset(folder.show(name).file for names in inside.values() for name in names)

    def finish(self) -> tuple[Diagnostic, ...]:
        """Return the diagnostics, with source lines; raise ConfigError if there is an error."""
        diagnostics = tuple(add_source_lines(_sort(self.diagnostics), self.contents))
        if any(diagnostic.level is Level.ERROR for diagnostic in diagnostics):
            raise ConfigError(*diagnostics)
        return diagnostics

    def _check_part(self, part: Path, names: Sequence[str]) -> Iterator[Diagnostic]:
        """Report the meter files of a requested file or folder that no account reads."""
        folder = self._start.folder
        if part.is_dir():
            found = (file for file, _ in self._find_others(self._files) if globs.is_usual(file))
            unread = [name for name in found if folder.is_within(name, part)]
        else:
            unread = [] if names else [os.path.relpath(part, folder.root)]
        for name in unread:
            message = f"no `meters` pattern in {PROJECT_FILE} matches this file"
            yield codes.NOT_SELECTED(message, folder.show(Path(name).as_posix()))
        if not (names or unread):
            yield codes.NO_METER_FILES(
                "no meter files found", folder.show(os.path.relpath(part, folder.root))
            )

    @cached_property
    def _meter_files(self) -> tuple[tuple[str, bytes], ...]:
        return tuple(discovery.find_meter_files(self._start.folder))

    def _find_others(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Find the files that may declare meters besides these, by whatever link."""
        path = self._start.folder.build_path
        read = {os.path.realpath(path(name)) for name in names}
        for name, data in self._meter_files:
            if os.path.realpath(path(name)) not in read:
                yield name, data

    def _find_unread(self, names: Iterable[str]) -> Iterator[UnreadFile]:
        """Find the files of an account's project that it does not read."""
        for name, data in self._find_others(names):
            yield UnreadFile(self._start.folder.show(name).file, decode_loosely(data))

    def _read(self, name: str) -> tuple[bytes, str]:
        shown = self._start.folder.show(name).file
        pending = self._find_content(name)
        data = discovery.read_file(self._start.folder, name) if pending is None else pending
        self.contents[shown] = data
        return data, shown

    def _find_content(self, name: str) -> bytes | None:
        """Return the content of a file that is not stored yet."""
        if not self._pending:
            return None
        return self._pending.get(os.path.realpath(self._start.folder.build_path(name)))

    def _find_pending(self, pattern: str) -> Iterator[str]:
        """Find the files with a content that is not stored yet and that a pattern matches."""
        if not self._pending:
            return
        root = os.path.realpath(self._start.folder.root)
        for path in self._pending:
            name = Path(os.path.relpath(path, root)).as_posix()
            if globs.matches(name, pattern) and name != PROJECT_FILE:
                yield name

    def _read_meter_file(self, name: str) -> MeterFile:
        if name not in self._files:
            try:
                file = read_meters(*self._read(name))
            except ConfigError as error:
                file = MeterFile(error.diagnostics)
            self._files[name] = file
            self.diagnostics += file.diagnostics
        return self._files[name]

    def _list_files(self, entry: Entry) -> list[str]:
        """List the files of an entry, in order; of several links to one file, the first."""
        start = self._start
        alone = start.project_file is None and start.selected
        names = list(map(os.path.basename, start.selected)) if alone else self._find_files(entry)
        if len(names) < 2:
            return names
        real = {os.path.realpath(start.folder.build_path(name)): name for name in reversed(names)}
        return sorted(real.values())

    def _find_files(self, entry: Entry) -> list[str]:
        """Find the files that the patterns of an entry match; report patterns without a match."""
        folder = self._start.folder
        found, diagnostics = discovery.find_files(folder, [p.glob for p in entry.patterns])
        self.diagnostics += diagnostics
        unread = any(one.level is Level.ERROR for one in diagnostics)
        for glob, some in found.items():
            some += [name for name in self._find_pending(glob) if name not in some]
        names = sorted({name for names in found.values() for name in names})
        if self._may_be_empty:
            return names
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
                hint = "" if names else f"{codes.GLOB_WITHOUT_MATCH.remedy}; {codes.ADOPT}"
                self.diagnostics.append(codes.GLOB_WITHOUT_MATCH(message, pattern.location, hint))
        return names
