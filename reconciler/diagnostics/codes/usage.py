"""Rules U: the command line."""

from __future__ import annotations

from ..diagnostic import Effect, Rule

NO_COMMAND = Rule(
    "U001",
    "unknown or missing command",
    "A command line begins with a command; its options follow it.",
    "see `reconciler --help`",
)
BAD_OPTIONS = Rule(
    "U002",
    "invalid options",
    "An option is unknown, lacks its value, has an invalid one, or excludes another option.",
    "see `reconciler COMMAND --help`",
)
NO_FORMAT = Rule(
    "U003",
    "unknown format",
    "The format does not exist, or this command does not support it: lists and codes are text or "
    "JSON.",
    "use text or json, or for a report also markdown, html, junit, sarif, codequality or github",
)
TWO_DOCUMENTS = Rule(
    "U004",
    "several documents for one output",
    "Standard output carries exactly one document, and so does every file of --out and --save.",
    "write each document to a different file",
)
NO_ACCOUNT = Rule(
    "U005",
    "unknown or missing account",
    "The project has several accounts and none was selected, or it has no account of that name.",
    "select an account with --account; the option can be repeated",
)
NO_TERMINAL = Rule(
    "U006",
    "no terminal to confirm the plan",
    "A plan is never applied without confirmation, and without a terminal it cannot be confirmed.",
    "add --yes, or apply a reviewed plan with --plan FILE",
)
NO_CODE = Rule(
    "U007",
    "unknown diagnostic code",
    "Every diagnostic has a stable code: a letter and three digits.",
    "`reconciler explain` without a code lists them all",
)
PATTERN_WITHOUT_MATCH = Rule(
    "U008",
    "a pattern of --only matches no declared meter",
    "A pattern that matches nothing is probably misspelt.",
    "patterns are globs and match whole event_names: --only 'ai_*'",
)
PROTECTED_FILE = Rule(
    "U009",
    "the output would replace a file that must be kept",
    "--out and --save do not write to *.yaml and *.yml files, to files in .reconciler/ (the "
    "journal and the emulator's state), to files that the command reads, such as the plan to apply "
    "or the report to resume, or through a link to a file outside the folder that holds the link; "
    "a folder of saved plans takes no report.",
    "choose another file",
)
NO_SCHEMA = Rule(
    "U010",
    "unknown or missing schema",
    "`reconciler schema NAME` prints one of the published JSON Schemas.",
    "use one of the names in the message",
)
NO_SHELL = Rule(
    "U011",
    "unknown or missing shell",
    "`reconciler completion SHELL` prints a script for one of the shells that it knows.",
    "use bash, zsh or fish",
)
CANCELLED = Rule(
    "U101",
    "cancelled at the prompt",
    'The plan was shown, and the answer to the question whether to apply it was not "yes".',
    "run apply again when the plan is right",
    effect=Effect.CANCELLED,
)
INTERRUPTED = Rule(
    "U102",
    "interrupted",
    "Ctrl-C, SIGTERM or SIGHUP ended the run before it was finished.",
    "run the command again: every run starts from the current state of the account",
)
