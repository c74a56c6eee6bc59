"""Rules of runs over many accounts, of the areas C, U and A."""

from __future__ import annotations

from ..diagnostic import Rule

NO_CONNECTED_ACCOUNTS = Rule(
    "C047",
    "no connected accounts",
    "`connected_accounts` stands for no account, so nothing would be checked or applied.",
    "list the accounts, or remove the entry",
)
GROUP_WITHOUT_MATCH = Rule(
    "C048",
    "group without an account",
    "Each pattern of `groups` must match the name of an account, or `ENTRY/ID` of a connected "
    "account: a misspelled canary would otherwise be applied last, with all others.",
    "correct the pattern, or remove it",
)
SEVERAL_ACCOUNTS = Rule(
    "U012",
    "an entry that stands for many accounts",
    "An entry with `connected_accounts` has no account of its own: requests act on one of its "
    "connected accounts.",
    "name one of them: ENTRY/ID",
)
NOT_BEGUN = Rule(
    "A014",
    "an account was not begun",
    "`groups` applies to one group of accounts after another and stops after a group in which an "
    "account failed; a signal stops a run as well. Nothing was read or written in this account.",
    "fix the accounts that failed and run the command again",
)
