"""Rules G: what refuses a line although it could be done."""

from __future__ import annotations

from ..diagnostic import Effect, Rule

TOO_MANY_STOPS = Rule(
    "G001",
    "more meters would stop than the policy allows",
    "Usage sent to an inactive meter is lost. `policy.max_deactivations` bounds how many meters "
    "one plan may stop; a replacement counts as one.",
    "raise policy.max_deactivations in the reviewed project file, or declare the meters again",
    effect=Effect.GUARD,
)
PROTECTED = Rule(
    "G002",
    "a protected meter would stop",
    "`protect: true` on a meter, or a pattern in `policy.protect`, refuses every plan that would "
    "stop the meter.",
    "take the protection away in a reviewed change of the files, or keep the meter",
    effect=Effect.GUARD,
)
EMPTY_CONFIGURATION = Rule(
    "G003",
    "nothing is declared while undeclared meters are to be stopped",
    "An empty configuration together with `undeclared: deactivate` would stop every meter that "
    "the project owns. That is far more often a wrong path than a wish.",
    "check PATH and `meters:`; to stop a meter, declare it with `status: inactive`",
    effect=Effect.GUARD,
)
PRICES_BILL = Rule(
    "G004",
    "active prices bill on a meter that would stop",
    "Subscriptions on these prices go on, but no usage is counted for them any more.",
    "move the prices, or consent by naming exactly them: accepts: {active_prices: [...]}",
    effect=Effect.GUARD,
)
PRICES_UNREADABLE = Rule(
    "G005",
    "the key may not read prices",
    "Whether active prices bill on a meter decides if it may be stopped, and which of several "
    "inactive meters is to be woken. Without reading prices the line would be a guess.",
    "give the restricted key the permission to read prices (plan_read)",
    effect=Effect.GUARD,
)
WRONG_MODE = Rule(
    "G006",
    "the key is of the other mode",
    "A project says whether an account is live (`livemode: true`). The key, or what the account "
    "lists, says otherwise.",
    "use the key of the right mode, or correct `livemode` of the account in the project file",
    effect=Effect.GUARD,
)
WRONG_ACCOUNT = Rule(
    "G007",
    "the key belongs to another account",
    "`account_id` of the project file and the account of the key differ.",
    "use the key of that account, or correct `account_id` in the project file",
    effect=Effect.GUARD,
)
ACCOUNT_UNREADABLE = Rule(
    "G008",
    "the configured account cannot be confirmed",
    "`account_id` is configured, but the key may not read which account it belongs to; nothing is "
    "written on a guess.",
    "let the key read its account, or remove `account_id` from the project file",
    effect=Effect.GUARD,
)
FOREIGN_PLAN = Rule(
    "G009",
    "the saved plan is of another account",
    "A saved plan holds the account, the mode and the ids of all meters it saw. Meters are never "
    "deleted, so an id that no longer exists means another account.",
    "apply the plan with the account and key it was made with, or plan again",
    effect=Effect.GUARD,
)
UNEXPECTED_PLAN = Rule(
    "G010",
    "planning gives another plan than the expected one",
    "`--expect` names the plan_hash that was approved; the files or the account have changed "
    "since.",
    "review the new plan, and apply with its hash",
    effect=Effect.GUARD,
)
