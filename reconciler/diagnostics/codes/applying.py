"""Rules A: results of applying a change."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

STALE_PLAN = Rule(
    "A001",
    "saved plan is out of date",
    "A meter of the plan changed in Stripe after the plan was made, the plan is older than "
    "`policy.max_plan_age` or dated in the future, or current prices or the current policy lead "
    "to a different action.",
    "make a new plan and have it reviewed",
)
STALE_CHANGE = Rule(
    "A002",
    "meter changed while the plan was being applied",
    "Another client changed the meter between planning and applying. Either no request was "
    "sent for it, or the meter does not show the effect of the request.",
    "run `reconciler plan` again and find out who changed the meter",
)
REJECTED_BY_API = Rule(
    "A003",
    "Stripe rejected the request",
    "Stripe returned a definite error, and the requested change is not visible in the account.",
    "read Stripe's message; look up the request id in the Dashboard's request log",
)
NOT_CONFIRMED = Rule(
    "A004",
    "effect of a request is unknown",
    "The request was sent, but no response confirms its effect, and the meter does not show "
    "it either.",
    "run `reconciler apply` again: it starts from the current state of the account",
    effect=Effect.UNCONFIRMED,
)
HALF_REPLACED = Rule(
    "A005",
    "replacement incomplete: this event_name may have no active meter",
    "The old meter is, or may be, inactive, and the new one is not confirmed to be active. "
    "The old meter was not reactivated: the attempt failed, the effect of a request is "
    "unknown, or another client deactivated it. Usage sent to this event_name is being lost.",
    "run `reconciler apply` again at once, or reactivate the old meter manually",
    effect=Effect.LOSS,
)
COMPENSATED = Rule(
    "A006",
    "replacement rolled back",
    "The old meter was deactivated, the new one could not be activated, and the old one was "
    "reactivated. It records usage as before.",
    "find out why the new meter was rejected, then plan again",
)
AFTER_FAILURE = Rule(
    "A007",
    "not applied: an earlier change failed",
    "Replacements and deactivations are only applied if every change before them succeeded, "
    "so that usage always has an active meter. No further request is sent if a response comes"
    " from the wrong mode (live or test), or if eight changes in a row could not be confirmed"
    " because Stripe is not responding.",
    "fix the failed change and run `reconciler apply` again",
    Level.WARNING,
)
STOPPED = Rule(
    "A008",
    "not applied: the run was interrupted",
    "After the first Ctrl-C, SIGTERM or SIGHUP no new change is started; changes in progress are "
    "finished.",
    "run `reconciler apply` again to finish",
    Level.WARNING,
)
CHANGE_REFUSED = Rule(
    "A009",
    "not applied: this or another change is blocked or refused",
    "If any change is blocked or refused, nothing is applied; with --skip-refused the "
    "remaining changes are applied.",
    "fix the error on this change, or apply the remaining changes with --skip-refused",
    Level.WARNING,
)
UNEXPECTED = Rule(
    "A010",
    "internal error",
    "Applying a change failed with an unexpected error. The other changes were not affected.",
    "run `reconciler apply` again, and report this with the output of -vv",
)
NOT_ALLOWED = Rule(
    "A011",
    "API key may not write meters",
    "The request was answered with HTTP 401 or 403. Such an answer may come from a gateway after "
    "the effect, so the meter was read again: either it shows no effect, or it could not be read.",
    "use a valid key with the permission billing_meter_write",
    effect=Effect.DENIED,
)
NEW_PRICE = Rule(
    "A012",
    "a price came into use on this meter",
    "The prices in use are read again just before a meter is deactivated. A price that the "
    "approved plan does not contain and `accepts` does not list is now in use on this meter.",
    "move the price to another meter or list it under `accepts`, then plan again",
)
NAME_HELD = Rule(
    "A013",
    "an inactive meter seems to hold the event_name",
    "Stripe rejected a new meter, and lists no active one of its event_name, only inactive ones. "
    "Whether an inactive meter can hold its event_name is not documented; if it does, no new meter "
    "can be created, however often it is tried.",
    "declare the settings of an inactive meter of this event_name, so that it is reactivated",
)
OTHER_NAME = Rule(
    "A017",
    "Stripe created a meter of another event_name",
    "The request was accepted, but Stripe stored another event_name than the declared one. Since a "
    "meter cannot be deleted, the request is not sent again.",
    "declare the event_name that Stripe has stored; or deactivate the new meter in the Dashboard",
)
VERIFIED = Rule(
    "A101",
    "account verified",
    "After writing, the account was listed again and compared with the plan.",
    "",
    Level.INFO,
)
NOT_VERIFIED = Rule(
    "A102",
    "account does not match the configuration after applying",
    "The account was listed again for a few seconds after writing, and it still differs.",
    "run `reconciler plan` to see the remaining differences",
)
UNVERIFIABLE = Rule(
    "A103",
    "account could not be verified after applying",
    "Every request was answered, but reading the account again failed. Exit code 0 requires a"
    " verified account.",
    "run `reconciler apply` again: it applies any remaining changes and verifies the account",
    effect=Effect.UNVERIFIABLE,
)
PRICE_MEANWHILE = Rule(
    "A104",
    "a price came into use while its meter was deactivated",
    "The prices in use on a deactivated or replaced meter are read once more after the apply. A "
    "price that `accepts` does not list came into use after the last check, so the usage of its "
    "subscriptions is not recorded.",
    "move the subscriptions to a price on an active meter, or list the price under `accepts`",
)
PLAN_FILE = Rule(
    "A201",
    "saved plan cannot be used",
    "The file is not a saved plan, is truncated, was edited, or has a plan_version that this "
    "version does not support. The hashes of a plan are recomputed when it is loaded.",
    "make a new plan with `reconciler plan --save`",
)
SAVED_PLAN = Rule(
    "A203",
    "a saved plan, as it was made",
    "`show` reads the file alone. The account and the files may have changed since; "
    "`apply --plan` checks that before it writes.",
    "",
    Level.INFO,
)
