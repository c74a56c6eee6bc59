"""Rules J: the journal, and the other sources of `history`."""

from __future__ import annotations

from ..diagnostic import Level, Rule

UNWRITABLE = Rule(
    "J001",
    "the journal cannot be written",
    "Every request is recorded before and after it is sent. The disk is full or read-only, the "
    "folder belongs to another user, the journal is a link or not a regular file, or another "
    "process holds the lock.",
    "make `.reconciler/` and the journal writable, wait for the other process, or apply with "
    "--no-journal",
)
DAMAGED = Rule(
    "J002",
    "an entry of the journal is unreadable",
    "A crash can cut off the last entry. No run reads the journal to decide anything.",
    "look for the missing entry in Stripe's request log; the other entries are shown",
    Level.WARNING,
)
INCOMPLETE = Rule(
    "J003",
    "the journal is incomplete",
    "A request was sent, and its result could not be written to disk.",
    "free disk space; see Stripe's request log for what is missing",
    Level.WARNING,
)
UNREADABLE = Rule(
    "J004",
    "the journal cannot be read",
    "The journal exists, but is not a regular file, not readable by this user, or the disk fails.",
    "make `.reconciler/` readable",
)
EVENTS_WITHOUT_KEY = Rule(
    "J101",
    "the events of an account are missing",
    "Stripe's events show what other clients and people did. Reading them needs a key, and its "
    "environment variable is not set; the journal and the commits need none.",
    "set the variable to a key that may read events (event_read)",
    Level.WARNING,
)
COMMITS_UNREADABLE = Rule(
    "J102",
    "the commits are missing",
    "The project is in a git checkout, but git is not installed or timed out, the checkout belongs "
    "to another user, or it lacks earlier versions of files (a partial clone).",
    "make `git log -p` work in the folder of the project, offline",
    Level.WARNING,
)
COMMITS_MISSING = Rule(
    "J103",
    "older commits are missing",
    "A shallow clone has only the latest commits, and of a long history only the latest part is "
    "read.",
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
