"""Rules J: the journal of what was done, and what else `history` tells of a meter."""

from __future__ import annotations

from ..diagnostic import Level, Rule

UNWRITABLE = Rule(
    "J001",
    "the journal cannot be written",
    "Every request is written down before and after it is sent, so that a person can say later "
    "what happened. The disk is full or read-only, the folder belongs to somebody else, a link or "
    "something else that is no file stands in its place, or another process holds the lock.",
    "make `.reconciler/` a folder, and its journal a file, that you may write; wait for whoever "
    "holds the lock; or apply with --no-journal",
)
DAMAGED = Rule(
    "J002",
    "a line of the journal is unreadable",
    "A crash can cut off the last line. The journal is memory for people; no run decides by it, "
    "so nothing is lost in the account.",
    "nothing to do; the other lines are shown",
    Level.WARNING,
)
INCOMPLETE = Rule(
    "J003",
    "the journal misses something that was done",
    "A request was sent, and the disk then refused to take down what came of it.",
    "free the disk; Stripe's request log has what the journal lacks",
    Level.WARNING,
)
UNREADABLE = Rule(
    "J004",
    "the journal cannot be read",
    "The file of the journal is there, and this user may not read it, or the disk fails.",
    "let yourself read `.reconciler/`, or ask whoever applied",
)
EVENTS_WITHOUT_KEY = Rule(
    "J101",
    "the time line lacks the events of an account",
    "Stripe's events tell what other clients and people did. Reading them takes a key, and the "
    "variable that should hold it is not set here; the journal and the commits need none.",
    "set the variable to a key that may read events (event_read)",
    Level.WARNING,
)
COMMITS_UNREADABLE = Rule(
    "J102",
    "the time line lacks the commits",
    "The project is in a git checkout, but git is not installed, refuses to read it (a folder of "
    "another owner, for one), lacks earlier versions of files (a partial clone), or took too long.",
    "make `git log -p` work in the folder of the project, offline",
    Level.WARNING,
)
COMMITS_CUT = Rule(
    "J103",
    "the time line lacks older commits",
    "A shallow clone holds only the latest commits, and of a very long history only the latest "
    "part is read. What changed the declaration before is not told.",
    "git fetch --unshallow (in GitHub Actions: fetch-depth: 0), or see git log",
    Level.WARNING,
)
COMMIT_UNKNOWN = Rule(
    "J104",
    "the git commit of this run is unknown",
    "The project is in a git checkout that cannot be read: git is missing, fails, or the checkout "
    "belongs to another user. The plan, the journal and the idempotency keys then name no commit. "
    "In a CI job the commit is taken from its variables (`GITHUB_SHA`, `CI_COMMIT_SHA`, …).",
    "install git, or give the checkout to the user that runs this",
    Level.WARNING,
)
