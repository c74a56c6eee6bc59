"""The commits that changed what a project's files say of one event_name.

Each commit that touched a YAML file of the project is looked at by its meaning: both versions
of the file are read, and the entry of the name is compared. So a changed line that does not bear
the name is found, a change of the file's `defaults` too, while comments, other meters, and an
entry that moves elsewhere as it is do not count; and no name or path is ever part of a pattern.

Limits: `*.yaml` and `*.yml` only, whichever account reads them; the checked-out branch only, as
git simplifies its history (a branch that ended where it began is left out); a merge counts where
it says something that none of its parents said; the latest 1,000 commits that touched such a
file. A version that is not YAML declares nothing. Nothing is fetched: a partial clone without
the older versions is said to be unreadable.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import former
from ..diagnostics.codes import journal as rules
from ..diagnostics.diagnostic import Diagnostic
from ..report.history import DeclarationChange, PastCommit
from ..timestamps import LATEST
from .ci import commit
from .git import GitError, ask, objects

MOST = 1_000
_PATIENCE = 30.0  # seconds for the whole log of a large repository, or for many of its files
_LOG = (
    "log",
    f"--max-count={MOST}",
    "--format=%H%x00%P%x00%ct%x00%an%x00%s",
    *("-z", "-c", "--raw", "--root", "--relative", "--no-abbrev", "--no-renames"),
    *("--no-color", "--no-notes", "--no-ext-diff", "--encoding=UTF-8"),
    *("--", ":(glob)**/*.yaml", ":(glob)**/*.yml"),
)
_HEAD = 5  # fields of the format

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Touched:
    """A file that a commit touched: its blob in each parent, and in the commit; zeros for none."""

    path: str
    before: tuple[str, ...]
    after: str


@dataclass(frozen=True, slots=True)
class _Logged:
    """A commit as git logs it; a merge names only files that differ from all its parents."""

    commit: str
    parents: tuple[str, ...]
    at: float
    author: str
    subject: str
    files: tuple[_Touched, ...]


def changes(root: str, event_name: str) -> tuple[tuple[PastCommit, ...], tuple[Diagnostic, ...]]:
    """The commits, newest first, and what kept all or the older ones from being seen.

    Outside of a git checkout, and before the first commit in one, there is neither.
    """
    around = (Path(root), *Path(root).parents)
    if not any(os.path.exists(folder / ".git") for folder in around):
        return (), ()
    try:
        return _changes(root, event_name)
    except GitError as error:
        return (), (rules.COMMITS_UNREADABLE(f"the commits cannot be read: {error}"),)


def _changes(root: str, event_name: str) -> tuple[tuple[PastCommit, ...], tuple[Diagnostic, ...]]:
    shallow = ask(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
    logged = tuple(_logged(ask(root, *_LOG, timeout=_PATIENCE))) if commit(root) else ()
    cut = []
    if len(logged) == MOST:
        cut.append(f"only the latest {MOST:,} commits of YAML files were looked at")
    if shallow:  # where it is cut off, a commit seems to declare everything
        cut.append("this checkout is a shallow clone: it lacks the older commits")
        logged = tuple(each for each in logged if each.parents)
    entries = _entries(root, logged, event_name)
    told = tuple(found for each in logged if (found := _told(each, entries)))
    return told, tuple(map(rules.COMMITS_CUT, cut))


def _logged(output: bytes) -> Iterator[_Logged]:
    """The commits of the log. Its fields end in NUL, which no text or path can hold."""
    words = iter(output.decode("utf-8", "replace").split("\0"))
    head: list[str] = []
    files: list[_Touched] = []
    for word in words:
        if len(head) < _HEAD:
            head += [word] if head or word else []
        elif (raw := word.lstrip("\n")).startswith(":"):
            files.append(_touched(raw, next(words, "")))
        elif raw:
            yield _commit(head, files)
            head, files = [raw], []
    if len(head) == _HEAD:
        yield _commit(head, files)


def _commit(head: list[str], files: list[_Touched]) -> _Logged:
    hash_, parents, at, author, subject = head
    seconds = float(min(int(at), LATEST)) if at.isdecimal() else 0.0
    return _Logged(hash_, tuple(parents.split()), seconds, author, subject, tuple(files))


def _touched(raw: str, path: str) -> _Touched:
    """`:mode mode blob blob status`, with a colon, a mode and a blob more for each more parent."""
    parents = len(raw) - len(raw.lstrip(":"))
    *before, after = raw.split()[parents + 1 : 2 * parents + 2]
    return _Touched(path, tuple(before), after)


def _entries(root: str, logged: tuple[_Logged, ...], event_name: str) -> dict[str, Entry]:
    """The blobs that declare the name, and what each says of it; each is read once."""
    touched = [file for each in logged for file in each.files]
    blobs = dict.fromkeys(blob for file in touched for blob in (*file.before, file.after))
    named = [blob for blob in blobs if blob.strip("0")]
    read = objects(root, named, _PATIENCE)
    return {blob: found for blob, data in read if (found := former.entry(data, event_name))}


def _told(logged: _Logged, entries: Mapping[str, Entry]) -> PastCommit | None:
    """What the commit did to the entry; None where it left it as some parent had it."""
    after = {file.path: found for file in logged.files if (found := entries.get(file.after))}
    versions = [
        {file.path: found for file in logged.files if (found := entries.get(file.before[n]))}
        for n in range(min((len(file.before) for file in logged.files), default=1))
    ]
    if any(list(before.values()) == list(after.values()) for before in versions):
        return None
    before = versions[0]
    turn = (
        DeclarationChange.CHANGED
        if before and after
        else DeclarationChange.DECLARED
        if after
        else DeclarationChange.REMOVED
    )
    return PastCommit(
        commit=logged.commit,
        at=logged.at,
        author=logged.author,
        subject=logged.subject,
        turn=turn,
        keys=tuple(_differing(before, after)) if turn is DeclarationChange.CHANGED else (),
        files=tuple(after or before),
    )


def _differing(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> list[str]:
    """The keys that the first entry of either side has otherwise."""
    old, new = next(iter(before.values())), next(iter(after.values()))
    return sorted(str(key) for key in {**old, **new} if old.get(key) != new.get(key))
