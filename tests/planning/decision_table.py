"""The decision table: the change of one event_name in every state of its meters."""

from __future__ import annotations

from typing import NamedTuple

from builders.meters import OWNING, active_prices, declare, existing, inactive, retire
from msgspec.structs import replace

from reconciler.model.meter import ExistingMeter
from reconciler.model.price import Price
from reconciler.model.project import MeterConfig, Policy, Undeclared

REPORTING = Policy()
OTHER_OWNER = Policy(undeclared=Undeclared.DEACTIVATE, owns=("ai_*",))
UNCLEAR = replace(existing("mtr_u"), status="suspended")
A, OTHER = existing("mtr_a"), existing("mtr_a", formula="count")
I1, I2 = inactive("mtr_1", at=100), inactive("mtr_2", at=200)
ODD1, ODD2 = inactive("mtr_1", at=100, formula="count"), inactive("mtr_2", at=200, formula="last")


class Case(NamedTuple):
    """A state, and the expected action, reason, meter acted on and meter to reactivate."""

    desired: list[MeterConfig]
    account: list[ExistingMeter]
    prices: dict[str, tuple[Price, ...]]
    policy: Policy
    expected: list[str]


def _case(
    desired: MeterConfig | None,
    account: list[ExistingMeter],
    expected: str,
    *prices: str,
    policy: Policy = OWNING,
) -> Case:
    words = (expected + " - -").split()[:4]
    return Case([desired] if desired else [], account, active_prices(*prices), policy, words)


# A: the active meter of the event_name. `same` and `differs` are about immutable fields.
TABLE: dict[str, Case] = {
    "active, A same": _case(declare(), [A], "unchanged in_sync mtr_a"),
    "active, A same, inactive": _case(declare(), [A, I1], "unchanged in_sync mtr_a"),
    "active, A renamed": _case(declare(display="New"), [A], "update renamed mtr_a"),
    "active, A not same": _case(declare(), [OTHER], "blocked differs mtr_a"),
    "active, A not same and renamed": _case(
        declare(display="New"), [OTHER], "blocked differs mtr_a"
    ),
    "active, A not same, another retired": _case(
        declare(retires=("mtr_9",)), [OTHER], "blocked differs mtr_a"
    ),
    "active, A retired but same": _case(
        declare(retires=("mtr_a",)), [A], "unchanged in_sync mtr_a"
    ),
    "active, A retired, no inactive": _case(
        declare(retires=("mtr_a",)), [OTHER], "replace retires mtr_a"
    ),
    "active, A retired, a same inactive": _case(
        declare(retires=("mtr_a",)), [OTHER, I1], "replace retires mtr_a mtr_1"
    ),
    "active, A retired, the inactive differs": _case(
        declare(retires=("mtr_a",)), [OTHER, ODD1], "replace retires mtr_a"
    ),
    "active, A retired, the inactive one too": _case(
        declare(retires=("mtr_a", "mtr_1")), [OTHER, I1], "replace retires mtr_a", "p@mtr_1"
    ),
    "active, A retired, prices on A": _case(
        declare(retires=("mtr_a",)), [OTHER, I1], "replace retires mtr_a mtr_1", "p@mtr_a"
    ),
    "active, A retired, prices on an inactive that differs": _case(
        declare(retires=("mtr_a",)), [OTHER, ODD1], "blocked prices_on_other_meter mtr_a", "p@mtr_1"
    ),
    "active, A retired, prices on two inactive": _case(
        declare(retires=("mtr_a",)),
        [OTHER, I1, I2],
        "blocked prices_on_several_meters mtr_a",
        "p@mtr_1",
        "q@mtr_2",
    ),
    "active, a same inactive": _case(declare(), [I1], "reactivate inactive mtr_1"),
    "active, a same inactive, renamed": _case(
        declare(display="New"), [I1], "reactivate inactive mtr_1"
    ),
    "active, two same inactive": _case(declare(), [I1, I2], "reactivate inactive mtr_2"),
    "active, two same inactive, prices on the older": _case(
        declare(), [I1, I2], "reactivate inactive mtr_1", "p@mtr_1"
    ),
    "active, the same inactive is older": _case(declare(), [I1, ODD2], "reactivate inactive mtr_1"),
    "active, prices on the other inactive": _case(
        declare(), [I1, ODD2], "blocked prices_on_other_meter", "p@mtr_2"
    ),
    "active, prices on the only inactive, which differs": _case(
        declare(), [ODD1], "blocked prices_on_other_meter", "p@mtr_1"
    ),
    "active, prices on several inactive": _case(
        declare(), [I1, I2], "blocked prices_on_several_meters", "p@mtr_1", "q@mtr_2"
    ),
    "active, prices on several inactive, one retired": _case(
        declare(retires=("mtr_2",)), [I1, I2], "reactivate inactive mtr_1", "p@mtr_1", "q@mtr_2"
    ),
    "active, prices on several inactive, all retired": _case(
        declare(retires=("mtr_1", "mtr_2")),
        [ODD1, ODD2],
        "create inactive_differ",
        "p@mtr_1",
        "q@mtr_2",
    ),
    "active, prices on the other inactive, retired": _case(
        declare(retires=("mtr_2",)), [I1, ODD2], "reactivate inactive mtr_1", "p@mtr_2"
    ),
    "active, all inactive differ": _case(declare(), [ODD1, ODD2], "create inactive_differ"),
    "active, no meter": _case(declare(), [], "create missing"),
    "inactive, A same": _case(
        retire(), [A, I1], "deactivate declared_inactive mtr_a", policy=REPORTING
    ),
    "inactive, A of another display_name": _case(
        retire(display="New"), [A], "deactivate declared_inactive mtr_a", policy=REPORTING
    ),
    "inactive, A not same": _case(retire(), [OTHER], "blocked differs mtr_a"),
    "inactive, A not same, retired": _case(
        retire(retires=("mtr_a",)), [OTHER], "deactivate declared_inactive mtr_a", policy=REPORTING
    ),
    "inactive, no A": _case(retire(display="New"), [I1, ODD2], "unchanged retired mtr_2"),
    "inactive, no meter": _case(retire(), [], "unchanged retired"),
    "undeclared, reported": _case(None, [A], "unmanaged undeclared mtr_a", policy=REPORTING),
    "undeclared, owned": _case(None, [A], "deactivate owned mtr_a"),
    "undeclared, of another owner": _case(
        None, [A], "unmanaged undeclared mtr_a", policy=OTHER_OWNER
    ),
    "undeclared, owned but only reported": _case(
        None, [A], "unmanaged undeclared mtr_a", policy=Policy(owns=("*",))
    ),
    "undeclared, owned, one inactive": _case(None, [A, I1], "deactivate owned mtr_a"),
    "undeclared, inactive": _case(None, [I1, I2], "unchanged retired mtr_2"),
    "unknown status": _case(declare(), [UNCLEAR], "blocked unknown_status mtr_u"),
    "unknown status beside A": _case(declare(), [A, UNCLEAR], "blocked unknown_status mtr_u"),
    "unknown status, to be retired": _case(retire(), [UNCLEAR], "blocked unknown_status mtr_u"),
    "unknown status, undeclared": _case(None, [UNCLEAR], "unmanaged unknown_status mtr_u"),
    "two A": _case(declare(), [A, existing("mtr_b")], "blocked two_active"),
    "two A, one retired": _case(
        declare(retires=("mtr_a",)), [OTHER, existing("mtr_b")], "blocked two_active"
    ),
    "two A, to be retired": _case(retire(), [A, existing("mtr_b")], "blocked two_active"),
    "two A, undeclared": _case(None, [A, existing("mtr_b")], "unmanaged two_active"),
}
