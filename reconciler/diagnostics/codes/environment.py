"""Rules E: this machine, its files and the emulator."""

from __future__ import annotations

from ..diagnostic import Rule

EMULATOR = Rule(
    "E001",
    "the emulator cannot start",
    "The state file is held by another process, is not the state of an emulator, or cannot be "
    "written; the seed describes no account; or the port is taken.",
    "read the message: it names the file, the place in the seed or the switch",
)
FILE_UNWRITABLE = Rule(
    "E002",
    "a file cannot be written",
    "A file of --out or --save is in a folder that does not exist or may not be written, or the "
    "disk is full. Files are written beside their place and moved there when they are whole. Said "
    "of standard output where the disk under it is full: what the run did is done, see `history`.",
    "name a file in an existing folder that you may write to",
)
FILE_UNREADABLE = Rule(
    "E003",
    "a file cannot be read",
    "The file of --plan does not exist, may not be read, or is not UTF-8 text.",
    "name the file that `plan --save` wrote",
)
BUG = Rule(
    "E900",
    "an error inside the tool",
    "The tool failed in a way that nobody foresaw. This is a defect of it, not of your files.",
    "report it with the output of -vv, which shows where it happened",
)
