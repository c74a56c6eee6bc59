"""Rules Y and C: the files that a user writes."""

from __future__ import annotations

from ..diagnostic import Level, Rule

NOT_UTF8 = Rule(
    "Y001",
    "file is not UTF-8",
    "Only one encoding is read, so that a file means the same on every machine.",
    "save the file as UTF-8",
)
FORBIDDEN_CHARACTER = Rule(
    "Y002",
    "character is not allowed",
    "Control and bidirectional characters make a file look different from what it says.",
    "remove the character, or write it as an escape inside double quotes where it is meant",
)
SYNTAX = Rule(
    "Y003",
    "YAML syntax",
    "The file cannot be read as YAML; what follows the place named was not looked at.",
    "mend the YAML at this place: mostly indentation, a missing quote or a missing bracket",
)
EMPTY_FILE = Rule(
    "Y004",
    "file is empty",
    "An empty file may be one that was not written to its end, so it is never taken to mean "
    '"no meters".',
    "to declare nothing, write `version: 1` and `meters: []`; else delete the file",
)
SEVERAL_DOCUMENTS = Rule(
    "Y005",
    "more than one document in a file",
    "A file is one document, so that every reader sees all of it.",
    "put what follows `---` into a file of its own",
)
DUPLICATE_KEY = Rule(
    "Y006",
    "key written twice",
    "YAML forbids it, and most readers silently let the last one win.",
    "keep one of the two",
)
MERGE_KEY = Rule(
    "Y007",
    "merge key",
    "`<<` is not in YAML 1.2, and what it yields depends on the reader.",
    "write what meters have in common under `defaults`",
)
TAG = Rule(
    "Y008",
    "YAML tag",
    "Files are pure data; a tag asks the reader to build something else.",
    "remove the tag; quote the value where a string is meant",
)
ALIAS = Rule(
    "Y009",
    "alias leads nowhere",
    "An alias must name an anchor that stands, complete, before it.",
    "set the anchor (`&name`) before the alias, and not around it",
)
ALIAS_BUDGET = Rule(
    "Y010",
    "aliases expand to too much",
    "A small file can grow without end through aliases of aliases.",
    "write the values out, or use `defaults`",
)
TOO_DEEP = Rule(
    "Y011",
    "nested too deep",
    "Nothing in these files needs more than a handful of levels.",
    "flatten the structure",
)
TOO_MANY_VALUES = Rule(
    "Y012",
    "too many values",
    "A file of this size cannot be reviewed, and was hardly written on purpose.",
    "split the file",
)
TOO_LARGE = Rule(
    "Y013",
    "file is too large",
    "A file of this size cannot be reviewed, and was hardly written on purpose.",
    "split the file, or name only the meter files under `meters` in reconciler.yaml",
)
COMPLEX_KEY = Rule(
    "Y014",
    "key is not a word",
    "A list or a mapping cannot be the name of anything in these files.",
    "write a plain word before the colon; quote braces and brackets that are meant literally",
)
DIRECTIVE = Rule(
    "Y015",
    "YAML directive",
    "`%` directives change how a reader understands the rest of the file.",
    "remove the line; where YAML 1.1 and 1.2 differ, the file is refused anyway",
)
QUOTE_IT = Rule(
    "Y016",
    "scalar that needs quotes",
    "YAML 1.1 or 1.2 reads the plain word as something other than a string (a number, a "
    "boolean, a date, null), and readers do not agree which.",
    "put quotes around it",
)

NO_SUCH_PATH = Rule(
    "C001",
    "no such path",
    "What was named does not exist.",
    "check the spelling, and the folder that a relative path starts from",
)
NO_METER_FILES = Rule(
    "C002",
    "folder without meter files",
    "A folder with nothing in it is more often a wrong path than a wish for no meters.",
    "create a meter file, or name another folder; to declare nothing, write one with "
    "`version: 1` and `meters: []`",
)
UNREADABLE = Rule(
    "C003",
    "path cannot be read",
    "A file that is left out would look like meters that are no longer declared.",
    "make it a regular file or folder that this user may read",
)
OUTSIDE = Rule(
    "C004",
    "symbolic link out of the project",
    "Nothing outside the project folder is read: the review of a change ends at its edge.",
    "copy the file into the project folder",
)
NOT_WITHIN = Rule(
    "C005",
    "path leaves the project",
    "Nothing outside the project folder is read or written.",
    "write a path relative to the project folder, without `..`",
)
GLOB_WITHOUT_MATCH = Rule(
    "C006",
    "glob matches nothing",
    "It is more often misspelt than meant, and meters would be missing without a word.",
    "correct the pattern, or remove it; `**` stands for any number of folders",
)
FOLDER_LOOP = Rule(
    "C007",
    "folders in a circle",
    "A symbolic link leads back to a folder around it, so the walk would never end.",
    "remove the symbolic link, or name the folders to read under `meters`",
)
UNKNOWN_VERSION = Rule(
    "C008",
    "unknown version of the file format",
    "A file of another version may mean something else by the same words, so it is not looked at.",
    "write `version: 1`, or install a reconciler that knows this version",
)
WRONG_TYPE = Rule(
    "C009",
    "wrong type",
    "The value is not of the kind that this key takes.",
    "see the reference of the configuration for what is wanted here",
)
UNKNOWN_KEY = Rule(
    "C010",
    "unknown key",
    "A key that is silently ignored is a setting that silently does not hold.",
    "correct or remove it; keys are Stripe's own names, nested as Stripe nests them",
)
MISSING_KEY = Rule(
    "C011",
    "missing key",
    "There is no safe value to assume.",
    "add it",
)
UNKNOWN_VALUE = Rule(
    "C012",
    "unknown value",
    "The value is not among those that are known.",
    "use one of the known values",
)
OUT_OF_RANGE = Rule(
    "C013",
    "value out of range",
    "It is longer, shorter, larger or smaller than Stripe or this tool allows.",
    "stay within the limit",
)
BAD_TEXT = Rule(
    "C014",
    "text not in the form that is wanted",
    "Blank names, surrounding spaces, invisible characters and malformed ids are mistakes "
    "that nobody sees in a review.",
    "correct the text",
)
DECLARED_TWICE = Rule(
    "C015",
    "event_name declared twice",
    "Of two declarations only one can hold, and nobody could say which.",
    "remove one of the two, or read them into different accounts",
)
KEY_IN_FILE = Rule(
    "C016",
    "API key in a file",
    "Whoever reads the file, now or in its history, may use the account.",
    "revoke the key in the Dashboard, take it out of the file, and name the environment "
    "variable that holds its successor under `api_key_env`",
)
SAME_ACCOUNT = Rule(
    "C017",
    "two entries are the same account",
    "Two sets of declarations for one account would undo each other.",
    "make them one entry",
)
KEYS_AT_ODDS = Rule(
    "C018",
    "keys that do not go together",
    "Each of them is fine, but they cannot both hold.",
    "keep one of them",
)
OWNS_MISSING = Rule(
    "C019",
    "`undeclared: deactivate` without `owns`",
    "Without patterns, every meter of the account that no file declares would be stopped.",
    'name the event_names that this project may stop: `owns: ["ai_*"]`',
)
PROTECTED_AND_INACTIVE = Rule(
    "C020",
    "protected and inactive",
    "`protect` refuses any plan that would stop the meter, and `status: inactive` asks for one.",
    "set `protect: false` to retire the meter, or `status: active` to keep it",
    Level.WARNING,
)
RETIRED_TWICE = Rule(
    "C021",
    "one meter id retired under two names",
    "A live meter has one event_name, so that at most one of the two can mean anything.",
    "keep the id under the event_name that the live meter has",
    Level.WARNING,
)
UNUSUAL_EVENT_NAME = Rule(
    "C022",
    "unusual event_name",
    "Stripe documents no alphabet for event_name; names of other characters than ASCII letters, "
    "digits, `_`, `-` and `.` have not been seen to work.",
    "use letters, digits, `_`, `-` and `.` where you can",
    Level.WARNING,
)
NOT_SELECTED = Rule(
    "C023",
    "file that no account reads",
    "The file is not matched by the `meters` patterns of the project, so no run over the whole "
    "project would know its meters.",
    "add the file to `meters` in the project file",
)
MISNAMED_PROJECT_FILE = Rule(
    "C024",
    "project file under another name",
    "The project file is called `reconciler.yaml`; under another name its accounts and its "
    "policy would not hold.",
    "rename it to reconciler.yaml",
)
NOT_A_METER_FILE = Rule(
    "C025",
    "not a meter file",
    "The file has neither `version` nor `meters`, so it was probably written for another tool.",
    "name only the meter files under `meters` in reconciler.yaml, or start the file with "
    "`version: 1`",
)
UNKNOWN_VALUE_ALLOWED = Rule(
    "C026",
    "unknown value, allowed by the file",
    "`allow_unknown_values: true` lets a value pass that Stripe may know and this tool does not.",
    "correct the value unless Stripe's documentation has it",
    Level.WARNING,
)
TOO_MANY_MISTAKES = Rule(
    "C028",
    "too many mistakes",
    "Nobody reads a list of that length; mostly the file was written for another tool.",
    "mend those that are named, and run again",
)
PROJECT_FILE_ABOVE = Rule(
    "C029",
    "project file above the folder",
    "A folder is a project of its own: accounts and policy of a project file above it do not hold.",
    "name the folder of the project file, or a single meter file, to have them hold",
    Level.WARNING,
)
PROJECT_WITHIN = Rule(
    "C030",
    "project within the project",
    "A folder below has a project file of its own, with other accounts and another policy. Its "
    "meters would be taken for meters of this project.",
    "run the inner project by itself: `reconciler VERB FOLDER`",
)
LISTED_TWICE = Rule(
    "C027",
    "listed twice",
    "The second mention adds nothing, so that another name was probably meant.",
    "remove or correct one of the two",
)
