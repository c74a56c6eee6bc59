"""Rules P: what a plan says besides its lines."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

DIFFERS = Rule(
    "P001",
    "an immutable field differs",
    "Stripe lets only `display_name` of a meter be changed. The declared and the live meter differ "
    "in another field, so no call can make them equal, and the line is blocked.",
    "declare what the account has, or consent to replacing the meter with `retires: [<its id>]`",
)
PRICES_ON_OTHER_METER = Rule(
    "P002",
    "active prices bill on an inactive meter that differs",
    "The name is declared active and has no active meter. Active prices bill on an inactive meter "
    "of this name whose settings differ from the declared ones: waking it would not give what is "
    "declared, and a new meter would leave these prices without usage.",
    "declare the settings of the meter that the prices bill on, or give it up with `retires`",
)
PRICES_ON_SEVERAL_METERS = Rule(
    "P003",
    "active prices bill on several inactive meters of one name",
    "Only one meter of a name can be active, and a price stays bound to its meter for ever. "
    "Whichever meter is woken, prices on the others see no usage; only a person can choose.",
    "name the meters that are not wanted in `retires`",
)
TWO_ACTIVE = Rule(
    "P004",
    "two active meters of one name",
    "Stripe allows one active meter for an event_name, yet the account lists several. The tool "
    "never picks one silently.",
    "look at both in the Dashboard and deactivate the one that no price needs",
)
RETIRED_DIFFERS = Rule(
    "P005",
    "the meter to retire is not the declared one",
    "The name is declared `inactive`, but the active meter differs from the declaration in an "
    "immutable field: it may be another meter than the one somebody meant to stop.",
    "declare the settings that the live meter has, or name it in `retires`",
)
LOOKS_LIKE_RENAME = Rule(
    "P101",
    "a new meter looks like a renamed one",
    "A meter is to be created with the same settings as an active one that no file declares any "
    "more. An event_name cannot be changed: the new meter starts empty, and prices stay on the "
    "old one.",
    "keep the old event_name, or move prices and senders of usage to the new one before the old "
    "meter is stopped",
    Level.WARNING,
)
GAP = Rule(
    "P102",
    "a replacement has a gap",
    "Stripe allows one active meter for an event_name, so the old meter is stopped before its "
    "successor runs. Usage that arrives in between is refused, and prices stay on the old meter.",
    "pause the senders of usage, or send again what was refused; bind new prices to the new meter",
    Level.WARNING,
)
TWINS = Rule(
    "P103",
    "inactive meters of the same name exist",
    "A new meter is created although the account has inactive meters of this name, since none of "
    "them has the declared settings, or the file retires them.",
    "nothing to do if the settings were meant to change; otherwise declare the old ones",
    Level.INFO,
)
PARTIAL = Rule(
    "P104",
    "only a part was looked at",
    "The run was narrowed by a file or by --only. Absence was not judged: undeclared meters are "
    "neither reported nor stopped.",
    "run without a file and without --only to see everything",
    Level.INFO,
    effect=Effect.SCOPE,
)
