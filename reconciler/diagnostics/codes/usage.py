"""Rules U: the command line."""

from __future__ import annotations

from ..diagnostic import Effect, Rule

NO_VERB = Rule(
    "U001",
    "no such command",
    "The first word of a command line is a verb; options stand after it.",
    "see `reconciler --help`",
)
BAD_WORDS = Rule(
    "U002",
    "the command line does not fit together",
    "An option is unknown, lacks its value, has one that it cannot have, or excludes another.",
    "see `reconciler VERB --help`",
)
NO_FORMAT = Rule(
    "U003",
    "no such format",
    "A format is not known, or is none that this verb can give: lists and codes are text or JSON.",
    "use text or json, or for a report also markdown, html, junit, sarif or github",
)
TWO_DOCUMENTS = Rule(
    "U004",
    "two documents for one place",
    "Standard output carries exactly one document, and so does every file of --out.",
    "keep one of them, and write the others to files of their own",
)
NO_ACCOUNT = Rule(
    "U005",
    "which account?",
    "The project has several accounts, or none of the name that was given.",
    "name one with --account, or several with --account given several times",
)
NOBODY_TO_ASK = Rule(
    "U006",
    "apply has nobody to ask",
    "Without a terminal nobody can confirm the plan, and nothing is ever applied unseen.",
    "give --yes, or apply a reviewed plan with --plan FILE",
)
NO_CODE = Rule(
    "U007",
    "no such diagnostic",
    "Every diagnostic has a stable code: a letter and three digits.",
    "`reconciler explain` without a code lists them all",
)
SILENT_PATTERN = Rule(
    "U008",
    "a pattern of --only matches no declared meter",
    "A pattern that matches nothing is far more often a slip than a wish.",
    "patterns are shell-style and match whole event_names: --only 'ai_*'",
)
OVER_A_SOURCE = Rule(
    "U009",
    "a document in place of a file that the run reads",
    "A file of --out or --save would take the place of the project file, a meter file, the saved "
    "plan, the journal, or the emulator's state or seed. What stood there would be lost.",
    "name another file",
)
DECLINED = Rule(
    "U101",
    "declined",
    "The plan was shown, and the question whether to apply it was not answered with yes.",
    "run apply again when the plan is right",
    effect=Effect.CANCELLED,
)
INTERRUPTED = Rule(
    "U102",
    "interrupted",
    "Ctrl-C, SIGTERM or SIGHUP ended the run before it was done.",
    "run it again: every run starts from what the account holds",
)
