"""Rules Y and C: the configuration files."""

from __future__ import annotations

from ..diagnostic import Level, Rule

NOT_UTF8 = Rule(
    "Y001",
    "file is not UTF-8",
    "Only UTF-8 is supported, so that a file means the same on every machine.",
    "save the file as UTF-8",
)
FORBIDDEN_CHARACTER = Rule(
    "Y002",
    "character is not allowed",
    "Control and bidirectional characters can make a file look different from what it contains.",
    "remove the character, or write it as an escape sequence inside double quotes",
)
SYNTAX = Rule(
    "Y003",
    "YAML syntax error",
    "The file is not valid YAML. Everything after the error was skipped.",
    "fix the YAML here: check the indentation, the quotes and the brackets",
)
EMPTY_FILE = Rule(
    "Y004",
    "file is empty",
    'An empty file may be the result of an interrupted write, so it is never read as "no meters".',
    "to declare no meters, write `version: 1` and `meters: []`; otherwise delete the file",
)
SEVERAL_DOCUMENTS = Rule(
    "Y005",
    "more than one document in a file",
    "Many parsers read only the first document, so a file must contain exactly one.",
    "move everything after `---` to a separate file",
)
DUPLICATE_KEY = Rule(
    "Y006",
    "duplicate key",
    "YAML forbids duplicate keys, and most parsers silently use the last value.",
    "keep one of the two",
)
MERGE_KEY = Rule(
    "Y007",
    "merge key",
    "`<<` is not part of YAML 1.2, and its result depends on the parser.",
    "use `defaults` for the settings that meters share",
)
TAG = Rule(
    "Y008",
    "YAML tag",
    "Configuration files are plain data; a tag asks the parser to construct another type.",
    "remove the tag; to make the value a string, quote it",
)
ALIAS = Rule(
    "Y009",
    "undefined alias",
    "An alias must refer to an anchor that is defined, and complete, before it.",
    "define the anchor (`&name`) before the alias, and not on a value that contains the alias",
)
ALIAS_BUDGET = Rule(
    "Y010",
    "aliases expand to too much",
    "Nested aliases can expand a small file to an enormous size.",
    "write the values out, or use `defaults`",
)
TOO_DEEP = Rule(
    "Y011",
    "nested too deeply",
    "No configuration file needs more than a few levels of nesting.",
    "flatten the structure",
)
TOO_MANY_VALUES = Rule(
    "Y012",
    "too many values",
    "A file of this size cannot be reviewed, and is unlikely to be intentional.",
    "split the file",
)
TOO_LARGE = Rule(
    "Y013",
    "file is too large",
    "A file of this size cannot be reviewed, and is unlikely to be intentional.",
    "split the file, or list only the meter files under `meters` in reconciler.yaml",
)
COMPLEX_KEY = Rule(
    "Y014",
    "key is not a string",
    "Lists, mappings and aliases cannot be keys in these files.",
    "write a string before the colon; quote literal braces and brackets",
)
DIRECTIVE = Rule(
    "Y015",
    "YAML directive",
    "`%` directives change how a parser reads the rest of the file.",
    "remove the line; values that YAML 1.1 and 1.2 read differently are rejected anyway",
)
QUOTE_IT = Rule(
    "Y016",
    "value must be quoted",
    "Without quotes, YAML 1.1 or YAML 1.2 parsers read the value as a number, boolean, date or "
    "null instead of a string, and they disagree on which.",
    "quote the value",
)

CUT_OFF = Rule(
    "Y017",
    "`#` cuts off a value",
    "In YAML, a `#` after a space begins a comment. Without a space behind it, it was probably "
    "meant to be part of the value, which silently ends before it.",
    "quote the whole text; if it is a comment, write a space after `#`",
)
MERGE_CONFLICT = Rule(
    "Y018",
    "unresolved merge conflict",
    "The file contains the markers of a merge conflict, so both versions of its lines.",
    "resolve the conflict, and remove the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`",
)
LFS_POINTER = Rule(
    "Y019",
    "Git LFS pointer",
    "The checkout has only the pointer that Git LFS keeps in the repository, not the file.",
    "run `git lfs pull`, in CI check out with LFS, or keep meter files out of LFS",
)

NO_SUCH_PATH = Rule(
    "C001",
    "no such file or folder",
    "The path does not exist.",
    "check the spelling and the current folder",
)
ADOPT = (
    "to adopt existing meters, `reconciler import --into FILE` creates a file that declares them, "
    "and `reconciler init --from-account` a whole project"
)
NO_METER_FILES = Rule(
    "C002",
    "no meter files found",
    "A folder without meter files is usually a wrong path rather than an intentionally empty "
    "configuration.",
    f"create a meter file, or pass another folder; {ADOPT}",
)
UNREADABLE = Rule(
    "C003",
    "path cannot be read",
    "If an unreadable file were skipped, its meters would appear to be undeclared.",
    "make it a regular file or folder that the current user can read",
)
OUTSIDE = Rule(
    "C004",
    "link to a path outside the project",
    "Files outside the project folder are not part of its review, so they are never read.",
    "copy the file or folder into the project folder",
)
NOT_WITHIN = Rule(
    "C005",
    "path outside the project",
    "Files outside the project folder are never read or written.",
    "use a path relative to the project folder, without `..`",
)
GLOB_WITHOUT_MATCH = Rule(
    "C006",
    "glob matches nothing",
    "A pattern without matches is usually a typo, and its meters would be silently missing.",
    "correct or remove the pattern; `**` matches any number of folders",
)
LINKED_FOLDER = Rule(
    "C007",
    "symbolic link to a folder",
    "Links to folders can lead outside the project or in a circle, so they are not followed. If "
    "the link were skipped, its meters would appear to be undeclared.",
    "replace the link with the folder, or list the folders to read under `meters`",
)
UNKNOWN_VERSION = Rule(
    "C008",
    "unknown version of the file format",
    "Keys may have a different meaning in another version, so the file is not checked further.",
    "write `version: 1`, or install a release of reconciler that supports this version",
)
WRONG_TYPE = Rule(
    "C009",
    "wrong type",
    "The value does not have the type that this key requires.",
    "see the configuration reference for the expected type",
)
UNKNOWN_KEY = Rule(
    "C010",
    "unknown key",
    "If an unknown key were ignored, a misspelled setting would have no effect.",
    "correct or remove the key; keys have the names and the nesting of Stripe's API",
)
PREVIEW_FIELD = Rule(
    "C035",
    "a field of a preview version of Stripe's API",
    "The field can only be set when a meter is created, and only with a preview version of "
    "Stripe's API. A meter that reconciler creates would lack it for good.",
    "remove the line; create this meter with the preview API, then declare its other fields",
)
MISSING_KEY = Rule(
    "C011",
    "missing key",
    "The key is required and has no safe default.",
    "add the key",
)
UNKNOWN_VALUE = Rule(
    "C012",
    "unknown value",
    "The value is not one of the known values.",
    "use one of the known values",
)
OUT_OF_RANGE = Rule(
    "C013",
    "value out of range",
    "The value is too long, too short, too large or too small for Stripe or for this tool.",
    "stay within the limit",
)
BAD_TEXT = Rule(
    "C014",
    "invalid format",
    "Blank names, surrounding spaces, invisible characters and malformed ids are easy to miss "
    "in a review.",
    "correct the value",
)
DECLARED_TWICE = Rule(
    "C015",
    "event_name declared twice",
    "Only one declaration of an event_name can apply to an account.",
    "remove one of the two, or assign their files to different accounts",
)
KEY_IN_FILE = Rule(
    "C016",
    "API key in a file",
    "Anyone who can read the file or its history can use the account.",
    "revoke the key in the Dashboard, remove it from the file, and set `api_key_env` to the name "
    "of the environment variable that holds the new key",
)
SAME_ACCOUNT = Rule(
    "C017",
    "duplicate account",
    "Two entries for the same account would undo each other's changes.",
    "merge the two entries",
)
CONFLICTING_KEYS = Rule(
    "C018",
    "conflicting keys",
    "Each key is valid by itself, but they cannot be combined.",
    "keep one of them",
)
OWNS_MISSING = Rule(
    "C019",
    "`undeclared: deactivate` without `owns`",
    "Without patterns, every undeclared meter of the account would be deactivated.",
    'list the event_names that this project may deactivate, for example `owns: ["ai_*"]`',
)
PROTECTED_AND_INACTIVE = Rule(
    "C020",
    "protected and inactive",
    "`protect` refuses every plan that deactivates the meter, and `status: inactive` requests one.",
    "set `protect: false` to deactivate the meter, or `status: active` to keep it",
    Level.WARNING,
)
RETIRED_TWICE = Rule(
    "C021",
    "meter id retired under two event_names",
    "A meter has exactly one event_name, so at most one of the two entries has an effect.",
    "keep the id only under the event_name of that meter",
    Level.WARNING,
)
UNUSUAL_EVENT_NAME = Rule(
    "C022",
    "unusual event_name",
    "Stripe does not document which characters an event_name may contain. Only ASCII letters, "
    "digits, `_`, `-` and `.` are known to work.",
    "use only ASCII letters, digits, `_`, `-` and `.` if possible",
    Level.WARNING,
)
NOT_SELECTED = Rule(
    "C023",
    "file not used by any account",
    "The file does not match the `meters` patterns of the project or of the selected accounts, so "
    "a run of the whole project would treat its meters as undeclared.",
    "add the file to `meters` in the project file",
)
MISNAMED_PROJECT_FILE = Rule(
    "C024",
    "misnamed project file",
    "The project file must be named `reconciler.yaml`; under another name, its accounts and its "
    "policy would not apply.",
    "rename it to reconciler.yaml, or remove it",
)
NOT_A_METER_FILE = Rule(
    "C025",
    "not a meter file",
    "The file has neither `version` nor `meters`, so it probably belongs to another tool.",
    "list only the meter files under `meters` in reconciler.yaml, or start the file with "
    "`version: 1`",
)
UNKNOWN_VALUE_ALLOWED = Rule(
    "C026",
    "unknown value, allowed by the file",
    "`allow_unknown_values: true` accepts values that Stripe may support and this tool does not "
    "know.",
    "correct the value unless Stripe's documentation lists it",
    Level.WARNING,
)
TOO_MANY_ERRORS = Rule(
    "C028",
    "too many errors",
    "The rest is not reported. A file with so many errors usually belongs to another tool.",
    "fix the reported errors and run again",
)
PROJECT_WITHIN = Rule(
    "C030",
    "nested project",
    "A subfolder has its own project file, with its own accounts and policy, so its meter "
    "files are not applied to the accounts of this project.",
    "run the nested project separately: `reconciler plan FOLDER`",
)
LISTED_TWICE = Rule(
    "C027",
    "duplicate list item",
    "The second item has no effect, so another value was probably intended.",
    "remove or correct one of the two",
)
READ_ONLY_KEY = Rule(
    "C031",
    "field that Stripe sets",
    "A meter object of the API also holds what only Stripe sets: its id, its mode and its times. "
    "A declaration is matched to the existing meter by its event_name.",
    "remove these keys",
)
LOOKALIKE = Rule(
    "C033",
    "event_names that look identical",
    "The two names are equal under Unicode normalization, or except for case and `. - _`. Stripe "
    "treats them as different meters, and usage sent under one name does not reach the other.",
    "keep one spelling, unless both meters are wanted",
    Level.WARNING,
)
OTHER_VERSION_REQUIRED = Rule(
    "C040",
    "another version of reconciler is required",
    "The project file says with `requires` which versions may read it. Another version may not "
    "know its keys, or read them differently, so nothing else is checked.",
    "install a version that `requires` includes",
)
OVERRIDE_UNDECLARED = Rule(
    "C038",
    "override of an undeclared event_name",
    "An override changes a meter that a file of the same account declares. One that changes "
    "nothing is usually a misspelled event_name, or is in a file of the wrong account.",
    "correct the event_name, declare it for this account, or remove the override",
)
OVERRIDDEN_TWICE = Rule(
    "C039",
    "setting overridden twice",
    "The files of an account have no order, so neither of two overrides of one setting takes "
    "precedence.",
    "remove one of the two, or assign their files to different accounts",
)
MAPPED_TWICE = Rule(
    "C046",
    "event_name mapped twice",
    "`compare` compares a meter of one account with a single meter of the other, so an event_name "
    "can be mapped only once for each account.",
    "remove one of the two, or merge both entries",
)
HIDDEN_FILE = Rule(
    "C032",
    "hidden file not read",
    "Files whose names begin with a dot are read only where a pattern of `meters` names them with "
    "the dot, so the meters of this file are treated as undeclared.",
    "rename the file, or list it under `meters` in reconciler.yaml",
    Level.WARNING,
)
OTHER_CASE = Rule(
    "C036",
    "file name differs from a pattern in upper and lower case",
    "Patterns of meter files distinguish upper and lower case. If the file were skipped, its "
    "meters would appear to be undeclared.",
    "rename the file, or list it under `meters` in reconciler.yaml",
)
SCHEMA_OUTDATED = Rule(
    "C037",
    "the schema for editors is out of date",
    "The comment `# yaml-language-server: $schema=PATH` names the JSON Schema by which an editor "
    "checks a file and completes its keys. The file at that path is missing, or of another version "
    "of the tool; the tool itself does not read it.",
    "reconciler schema meters > PATH",
    Level.WARNING,
)
