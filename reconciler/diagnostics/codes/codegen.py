"""Rules N: code generation."""

from __future__ import annotations

from ..diagnostic import Rule

KEYS_DIFFER = Rule(
    "N001",
    "accounts declare different payload keys for one event_name",
    "One builder of usage events cannot serve both accounts.",
    "select accounts that agree with --account, or declare the same payload keys",
)
KEYS_EQUAL = Rule(
    "N002",
    "one payload key is both the customer and the value",
    "An event's payload cannot hold two values under one key.",
    "declare two different payload keys",
)
STALE = Rule(
    "N003",
    "generated code is out of date",
    "The file does not match the meters that are declared now, so an application may use "
    "event names or payload keys that no longer exist.",
    "run the printed command and commit the file",
)
NO_LANGUAGE = Rule(
    "N004",
    "the language is not known",
    "`generate` needs to know which language to write: from --format, --out FORMAT=FILE, or the "
    "suffix of the file of --check.",
    "give --format, --out FORMAT=FILE, or --check with a .py, .ts, .go, .json or .env file",
)
