"""Rules G: reasons to refuse a change that could be applied."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

TOO_MANY_DEACTIVATIONS = Rule(
    "G001",
    "too many deactivations",
    "Usage sent to an inactive meter is lost. `policy.max_deactivations` limits how many meters "
    "one plan may deactivate; a replacement counts as one.",
    "raise policy.max_deactivations in the project file, or declare the meters again",
    effect=Effect.GUARD,
)
PROTECTED = Rule(
    "G002",
    "protected meter would be deactivated",
    "`protect: true` on a meter, or a pattern in `policy.protect`, refuses every change that "
    "deactivates the meter.",
    "remove the protection in the project's files, or keep the meter active",
    effect=Effect.GUARD,
)
EMPTY_CONFIGURATION = Rule(
    "G003",
    "no meter is declared, and undeclared meters would be deactivated",
    "An empty configuration with `undeclared: deactivate` would deactivate every meter that "
    "the project owns. The usual cause is a wrong path.",
    "check PATH and `meters:`; to deactivate a meter, declare it with `status: inactive`",
    effect=Effect.GUARD,
)
PRICES_IN_USE = Rule(
    "G004",
    "prices in use are on a meter that would be deactivated",
    "Subscriptions on these prices continue, but no usage would be recorded for them. Prices in "
    "use are active prices, and archived ones with a subscription that is not canceled: archiving "
    "a price stops new subscriptions only. An archived price counts as well where the key may not "
    "read subscriptions.",
    "move the prices, or consent by listing them: accepts: {prices: [...]}",
    effect=Effect.GUARD,
)
PRICES_UNREADABLE = Rule(
    "G005",
    "API key may not read prices",
    "Prices in use decide whether a meter may be deactivated, and which of several inactive "
    "meters is reactivated.",
    "give the restricted key the permission to read prices (plan_read)",
    effect=Effect.GUARD,
)
WRONG_MODE = Rule(
    "G006",
    "API key is for the wrong mode",
    "The project file sets the mode of an account (`livemode: true` is live mode). The key, or "
    "the objects that the account lists, are of the other mode.",
    "use a key of the configured mode, or correct `livemode` of the account in the project file",
    effect=Effect.ACCOUNT,
)
WRONG_ACCOUNT = Rule(
    "G007",
    "API key belongs to another account",
    "`account_id` in the project file differs from the account of the key.",
    "use a key of that account, or correct `account_id` in the project file",
    effect=Effect.ACCOUNT,
)
ACCOUNT_UNREADABLE = Rule(
    "G008",
    "configured account cannot be confirmed",
    "`account_id` is configured, but the key may not read which account it belongs to, and the "
    "refusal of Stripe does not name that account either, so nothing is written.",
    "let the restricted key read its account (accounts_kyc_basic_read)",
    effect=Effect.ACCOUNT,
)
FOREIGN_PLAN = Rule(
    "G009",
    "saved plan is for another account",
    "A saved plan contains the account, the mode and the ids of all existing meters. Meters are "
    "never deleted, so a missing id means another account.",
    "apply the plan with the account and key it was made with, or make a new plan",
    effect=Effect.GUARD,
)
UNEXPECTED_PLAN = Rule(
    "G010",
    "plan differs from the expected one",
    "`--expect` gives the plan_hash that was approved. The files or the account have changed since "
    "then.",
    "review the new plan, and apply it with its hash",
    effect=Effect.ACCOUNT,
)
CONSENT_WITHDRAWN = Rule(
    "G011",
    "consent of a saved plan no longer holds",
    "A saved plan is applied with the consent that the meter files give now. The plan relies on "
    "what `retires` listed when it was made, and the list has changed since then.",
    "list the meter under `retires` again, or make a new plan",
    effect=Effect.GUARD,
)
RENAMED = Rule(
    "G012",
    "meter would be deactivated because of a rename in a file",
    "With `undeclared: deactivate`, an event_name that disappears from the files is deactivated. "
    "The same plan creates or reactivates a meter with the same settings, and a similar "
    "event_name or the same display_name (or did so in the last 35 days): prices and usage senders "
    "may still use the old one.",
    "keep the old event_name in the files; to deactivate it, declare it with `status: inactive`",
    effect=Effect.GUARD,
)
FILE_NOT_READ = Rule(
    "G013",
    "meter would be deactivated, but a file that is not read names it",
    "With `undeclared: deactivate`, an event_name that disappears from the files of an account is "
    "deactivated. A file that is not read (renamed, moved, split, hidden, or of another account) "
    "still names it, so it was probably not removed on purpose.",
    "list the file under `meters`, or declare the meter in a file that is read; to deactivate it, "
    "declare it with `status: inactive`",
    effect=Effect.GUARD,
)
NO_ACCOUNT_ID = Rule(
    "G014",
    "--expect approves nothing without an account_id",
    "A plan_hash contains the configured account. Where none is configured, the same plan has the "
    "same hash in every account, so that the approval does not say which one is meant.",
    "set `account_id` of the account in the project file, and have the new plan approved",
    effect=Effect.ACCOUNT,
)
NOT_APPROVED = Rule(
    "G015",
    "no approved plan",
    "`apply` in the GitHub Action applies what was approved: the plan of the head commit of the "
    "merged pull request, as a review of exactly that commit saw it. A later commit, a plan that "
    "was made again after the review, and a direct push are not approved.",
    "revert and open the pull request again, or approve the plan in a protected environment: give "
    "`args: --expect HASH` with the hash of a plan of the same workflow run",
    effect=Effect.ACCOUNT,
)
DIFFERS_FROM_APPROVED = Rule(
    "G016",
    "change differs from the approved plan",
    "The plan has another plan_hash than the approved one, and this is what differs: for each "
    "event_name the action, the declaration and the existing meters, as approved and as they are "
    "now. Nothing was written.",
    "",
    effect=Effect.ACCOUNT,
)
NOT_COMPARED = Rule(
    "G017",
    "plan could not be compared with the approved one",
    "`--approved` gives the approved plan, to show what differs from it. The file has to be a "
    "saved plan with the plan_hash that `--expect` gives, which is computed from its content.",
    "give the file that `plan --save` wrote when the approved plan was made",
    level=Level.WARNING,
)
