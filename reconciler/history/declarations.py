"""The commits that added, changed or removed lines with the event_name of a meter.

This is `git log -G`: it sees lines, not meaning. A comment that names the meter counts, and a
change of another line of its declaration does not. Only `*.yaml` and `*.yml` files of the project
on the checked-out branch are read; a file that moves as it is does not count, nor does a merge.
Nothing is fetched: a partial clone without the older versions is reported as unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..diagnostics.codes import journal as rules
from ..diagnostics.diagnostic import Diagnostic
from ..report.history import DeclarationChange, PastCommit
from ..timestamps import LATEST
from .ci import read_head
from .git import GitError, find_checkout, run_git

MOST = 200
_TIMEOUT = 30.0  # seconds: git reads every version of every file
_LOG = (
    *("log", "--format=%x00%x00%H%x00p%P%x00t%ct%x00a%an%x00s%s%x00", "--encoding=UTF-8"),
    *("--topo-order", "--patch", "--unified=0", "--root", "--find-renames", "--relative", "--text"),
    *("--output-indicator-new=>", "--output-indicator-old=<"),  # no header begins with these
    *("--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"),
    *("--no-color", "--no-notes", "--no-ext-diff", "--no-textconv", "--no-show-signature"),
)
_FILES = ("--", ":(glob)**/*.yaml", ":(glob)**/*.yml")
_RECORD = re.compile(
    r"(?P<hash>[0-9a-f]{40,64})\0p(?P<parents>[0-9a-f ]*)\0t(?P<at>\d*)\0"
    r"a(?P<author>[^\0]*)\0s(?P<subject>[^\0]*)\0(?P<patch>.*)",
    re.DOTALL,
)
_SPECIAL = re.compile(r"[][\\.^$*+?(){}|]")  # of an extended regular expression


def find_commits(
    folder: str, event_name: str
) -> tuple[tuple[PastCommit, ...], tuple[Diagnostic, ...]]:
    """Return the commits, newest first, and why some or all of them are missing.

    Without a git checkout, and before its first commit, both are empty.
    """
    if not event_name or not event_name.isprintable():
        return (), ()  # no line of a file holds such a name as it is
    try:
        top = find_checkout(folder)
        return _find_commits(top, folder, event_name) if top else ((), ())
    except GitError as error:
        return (), (rules.COMMITS_UNREADABLE(f"the commits cannot be read: {error}"),)


def _find_commits(
    top: Path, folder: str, event_name: str
) -> tuple[tuple[PastCommit, ...], tuple[Diagnostic, ...]]:
    shallow = run_git(top, folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
    if not read_head(top):
        return (), ()
    plain = _SPECIAL.sub(r"\\\g<0>", event_name)
    pattern = f"-G(^|[^A-Za-z0-9_.-]){plain}($|[^A-Za-z0-9_.-])"
    limit = f"--max-count={MOST}"
    output = run_git(top, folder, *_LOG, limit, pattern, *_FILES, timeout=_TIMEOUT)
    records = tuple(_split_records(output))
    cut = []
    if len(records) == MOST:
        cut.append(f"only the latest {MOST} commits that name this meter were read")
    if shallow:  # the commit where it is cut off seems to add everything
        cut.append("this checkout is a shallow clone: it lacks the older commits")
        records = tuple(record for record in records if record["parents"])
    found = (_parse_commit(record, event_name) for record in records)
    return tuple(filter(None, found)), tuple(map(rules.COMMITS_MISSING, cut))


def _split_records(output: bytes) -> Iterator[re.Match[str]]:
    """Yield the commits of the log, each with its patch."""
    for part in output.decode("utf-8", "replace").split("\0\0"):
        if record := _RECORD.fullmatch(part):
            yield record


def _parse_commit(record: re.Match[str], event_name: str) -> PastCommit | None:
    """Return what the patch of a commit does to the lines with a name."""
    naming = re.compile(rf"(?<![A-Za-z0-9_.-]){re.escape(event_name)}(?![A-Za-z0-9_.-])")
    name = ""
    signs: set[str] = set()
    files: dict[str, None] = {}
    for line in record["patch"].split("\n"):
        if line.startswith(("--- a/", "+++ b/")):
            name = line[6:].rstrip("\t")
        elif line.startswith(("<", ">")) and naming.search(line, 1):
            signs.add(line[0])
            files[name] = None
    if not signs:
        return None
    return PastCommit(
        commit=record["hash"],
        at=float(min(int(record["at"] or 0), LATEST)),
        author=record["author"],
        subject=record["subject"],
        turn=_TURNS[frozenset(signs)],
        files=tuple(files),
    )


_TURNS = {
    frozenset(">"): DeclarationChange.ADDED,
    frozenset("<>"): DeclarationChange.CHANGED,
    frozenset("<"): DeclarationChange.REMOVED,
}
