"""Rules of runs over many accounts; M: reports of a part of them, joined or resumed."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

NOT_MERGEABLE = Rule(
    "M001",
    "reports do not belong together",
    "`reconciler merge` joins reports of one run in shards: of one command, one major version of "
    "this tool, the same project and meter files and the same number of shards, each shard once.",
    "merge the reports of one run; run the shards again where their files differ",
)
ACCOUNT_TWICE = Rule(
    "M002",
    "two reports are about one account",
    "In a joined report every account has one result. Shards of one run share no account.",
    "leave out one of the reports",
)
SHARD_MISSING = Rule(
    "M003",
    "the report of a shard is missing",
    "Not every shard of the run has a report: its job failed before it wrote one, or the file was "
    "not passed. What became of the accounts of that shard is not known, so the joined report is "
    "incomplete, and fails.",
    "run the missing shards, or all of them with `--resume` and the joined report",
)
NOT_RESUMABLE = Rule(
    "M004",
    "the run of this report cannot be resumed",
    "`--resume` takes the JSON report of an earlier run of the same command, plan, apply or drift.",
    "pass the file that `--out json=FILE` of the same command wrote, or leave out --resume",
)
ACCOUNT_GONE = Rule(
    "M005",
    "the report to resume is about accounts that the project does not have",
    "They were removed from the project, or renamed, after the report was written. Their results "
    "are not carried over.",
    "nothing, if they were removed; a renamed account is run under its new name",
    level=Level.WARNING,
)
CONFIGURATION_CHANGED = Rule(
    "M006",
    "accounts are run again because their configuration changed",
    "The report to resume has their results, but what the files declare for them, their policy or "
    "their identity is not what it was.",
    "nothing: their results would not hold",
    level=Level.INFO,
)
PLANS_FOLDER = Rule(
    "M007",
    "a folder of saved plans cannot be used",
    "With several accounts, `plan --save FOLDER` writes one file for each, and `apply --plan "
    "FOLDER` applies each file in it that ends in .json. So a folder holds the plans of one run, "
    "one for each account, and nothing else that ends in .json.",
    "use a new folder",
)
EXPECTED_HASHES = Rule(
    "M008",
    "the file of expected plan hashes cannot be used",
    "With several accounts, `apply --expect FILE.json` takes a JSON object with the plan_hash of "
    "every selected account by its name, and of no account that the project does not have.",
    "write it from the reviewed report: "
    "`jq '[.accounts[] | {(.account.name): .plan_hash}] | add' plan.json`",
)
NO_CONNECTED_ACCOUNTS = Rule(
    "C047",
    "no connected accounts",
    "`connected_accounts` lists no account, so nothing would be checked or applied.",
    "list the accounts, or remove the entry",
)
GROUP_WITHOUT_MATCH = Rule(
    "C048",
    "group without an account",
    "Each pattern of `groups` must match the name of an account, or `ENTRY/ID` of a connected "
    "account: otherwise one that is misspelled in an early group would be applied last.",
    "correct the pattern, or remove it",
)
SEVERAL_ACCOUNTS = Rule(
    "U012",
    "an entry that covers many accounts",
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
    effect=Effect.NOT_BEGUN,
)
ACCOUNT_UNKNOWN = Rule(
    "A015",
    "what became of an account is not known",
    "With `--dask`, the worker or the scheduler of the cluster was lost while the account was "
    "worked on, and its result with it. A worker that only lost its connection may even go on. "
    "`apply` may have made some of the changes, so it exits 5.",
    "run the command again, or with `--resume`: it starts from the current state of the account",
    effect=Effect.UNCONFIRMED,
)
RUN_AGAIN = Rule(
    "A016",
    "an account was worked on twice",
    "With `--dask`, the accounts of a lost worker are worked on again by another one, which starts "
    "from the current state of the account. What the lost worker changed is thus reported as "
    "unchanged, and its journal is lost unless it was kept in the folder of the project.",
    "nothing; `reconciler history` shows the changes of the lost worker from the account's events",
    level=Level.WARNING,
)
