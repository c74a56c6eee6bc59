"""Rules A: what can become of a line while it is applied."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

STALE_PLAN = Rule(
    "A001",
    "the saved plan is stale",
    "A meter of the plan is no longer as it was read when the plan was made, the plan is older "
    "than `policy.max_plan_age` or dated in the future, or its prices or the policy now decide "
    "otherwise.",
    "make a new plan, and have it reviewed",
)
STALE_LINE = Rule(
    "A002",
    "the meter moved while the plan was applied",
    "Somebody else changed the meter between planning and the request; nothing was sent for it, "
    "or what was sent did not decide its state.",
    "run plan again and look who changed it",
)
REFUSED_BY_API = Rule(
    "A003",
    "Stripe refused the request",
    "The API answered with a definite refusal, and the account does not hold what was asked for.",
    "read Stripe's message; the request id finds it in the Dashboard's request log",
)
NOT_CONFIRMED = Rule(
    "A004",
    "the effect of a request is unknown",
    "The request was sent, no answer proves what became of it, and reading the meter again did "
    "not settle it.",
    "run apply again: it starts from what the account holds",
    effect=Effect.UNCONFIRMED,
)
HALF_REPLACED = Rule(
    "A005",
    "a replacement stopped half-way: perhaps no meter of this name is active",
    "The old meter is or may be stopped, and no successor was seen to be active: waking the old "
    "one failed as well, nobody knows what came of a request, or somebody else had stopped it, "
    "which is theirs to undo. Usage sent to this name is being lost.",
    "run apply again at once, or reactivate the old meter by hand",
    effect=Effect.LOSS,
)
COMPENSATED = Rule(
    "A006",
    "a replacement was undone",
    "The old meter was stopped, its successor could not be started, and the old one was woken "
    "again: it counts usage as before.",
    "read why the successor was refused, and plan again",
)
AFTER_FAILURE = Rule(
    "A007",
    "not sent, because an earlier line failed",
    "Replacements and deactivations run only when everything before them succeeded, so that usage "
    "is never left without a meter that counts it. Nothing more is sent at all where the answers "
    "are of the other mode, or where eight lines in a row could not be settled: the account does "
    "not answer.",
    "mend what failed, and run apply again",
    Level.WARNING,
)
STOPPED = Rule(
    "A008",
    "not sent, because the run was told to stop",
    "After the first Ctrl-C, SIGTERM or SIGHUP no new line begins; one that has begun is finished.",
    "run apply again to finish",
    Level.WARNING,
)
LINE_REFUSED = Rule(
    "A009",
    "not sent, because the line is blocked or refused",
    "A plan with a blocked or refused line writes nothing; with --skip-refused it does the others.",
    "settle what refuses the line, or apply the others with --skip-refused",
    Level.WARNING,
)
UNEXPECTED = Rule(
    "A010",
    "an error inside the tool",
    "Applying a line failed in a way that the tool did not foresee. The other lines went on.",
    "run apply again, and report this with the output of -vv",
)
NOT_ALLOWED = Rule(
    "A011",
    "the key may not write meters",
    "Stripe refused the request because of the key (401 or 403).",
    "use a key with the permission billing_meter_write, or a valid one",
    effect=Effect.DENIED,
)
PRICE_CAME = Rule(
    "A012",
    "a price came to bill on the meter since the plan",
    "The active prices of a meter are read again right before it is stopped. One that was not "
    "there when the plan was made and approved bills on it now, and nobody has consented to that.",
    "move the price to another meter, or name it under `accepts`, and plan again",
)
VERIFIED = Rule(
    "A101",
    "verified",
    "After writing, the account was listed again and compared with the plan.",
    "nothing to do",
    Level.INFO,
)
NOT_VERIFIED = Rule(
    "A102",
    "the account does not match after applying",
    "The account was listed again after writing, and again for a few seconds; it still differs.",
    "run plan to see what differs now",
)
UNVERIFIABLE = Rule(
    "A103",
    "the account could not be looked at again",
    "Everything was sent and answered, but the closing look at the account failed, and 0 is only "
    "said of an account that was seen to be as planned.",
    "run apply again: it does what is left, if anything, and looks again",
)
PLAN_FILE = Rule(
    "A201",
    "the saved plan cannot be used",
    "The file is not a plan of this tool, was cut off, was edited, or is of a plan_version that "
    "this version does not read. A plan's hashes are recomputed on loading.",
    "make a new plan with `plan --save`",
)
