"""Rules C: the declaration of meters that exist already."""

from __future__ import annotations

from ..diagnostic import Level, Rule

NOT_EXTENDED = Rule(
    "C041",
    "file cannot be extended",
    "`import --into` only inserts lines, and reads the result again. Where the entries have no "
    "place in the file, or would not be read as they are meant, nothing is written.",
    "insert the printed entries by hand",
)
NOT_DECLARABLE = Rule(
    "C042",
    "meter that cannot be declared",
    "A declaration of this meter would be an error in the file, or a blocked change in the plan.",
    "correct the meter in the Dashboard if possible; without a declaration it is unmanaged",
    Level.WARNING,
)
LEFT_OUT = Rule(
    "C043",
    "meters left out",
    "`import` and `init` declare the active meters that this project answers for.",
    "",
    Level.INFO,
)
SHARED_FILE = Rule(
    "C045",
    "another account reads the file too",
    "A file that several accounts read declares its meters for each of them.",
    "if the meters are not wanted there, use --into with a file that only one account reads",
    Level.WARNING,
)
NOT_TERRAFORM = Rule(
    "C044",
    "not a Terraform state",
    "`import --from-terraform` reads a state file of version 4, or the output of "
    "`terraform show -json` for a state or a plan.",
    "run `terraform show -json > state.json`, and pass that file",
)
