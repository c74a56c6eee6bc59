"""The decision table of the design, one entry a case."""

from __future__ import annotations

from builders.worlds import OWNING, declare, existing, retire, stopped

from reconciler.model.project import Policy, Undeclared

REPORTING = Policy()
A, OTHER = existing("mtr_a"), existing("mtr_a", formula="count")
I1, I2 = stopped("mtr_1", at=100), stopped("mtr_2", at=200)
ODD1, ODD2 = stopped("mtr_1", at=100, formula="count"), stopped("mtr_2", at=200, formula="last")

# declared | live | active prices | policy -> action, reason, the meter acted on, the twin woken
TABLE = {
    "active, A same": (declare(), [A], (), OWNING, "unchanged", "in_sync", "mtr_a", None),
    "active, A same, twins": (
        declare(),
        [A, I1],
        (),
        OWNING,
        "unchanged",
        "in_sync",
        "mtr_a",
        None,
    ),
    "active, A renamed": (
        *(declare(display="New"), [A], (), OWNING),
        *("update", "renamed", "mtr_a", None),
    ),
    "active, A not same": (declare(), [OTHER], (), OWNING, "blocked", "differs", "mtr_a", None),
    "active, A not same and renamed": (
        *(declare(display="New"), [OTHER], (), OWNING),
        *("blocked", "differs", "mtr_a", None),
    ),
    "active, A not same, another retired": (
        *(declare(retires=("mtr_9",)), [OTHER], (), OWNING),
        *("blocked", "differs", "mtr_a", None),
    ),
    "active, A retired but same": (
        *(declare(retires=("mtr_a",)), [A], (), OWNING),
        *("unchanged", "in_sync", "mtr_a", None),
    ),
    "active, A retired, no twin": (
        *(declare(retires=("mtr_a",)), [OTHER], (), OWNING),
        *("replace", "retires", "mtr_a", None),
    ),
    "active, A retired, a same twin": (
        *(declare(retires=("mtr_a",)), [OTHER, I1], (), OWNING),
        *("replace", "retires", "mtr_a", "mtr_1"),
    ),
    "active, A retired, the twin differs": (
        *(declare(retires=("mtr_a",)), [OTHER, ODD1], (), OWNING),
        *("replace", "retires", "mtr_a", None),
    ),
    "active, A retired, the twin is retired as well": (
        *(declare(retires=("mtr_a", "mtr_1")), [OTHER, I1], ("p@mtr_1",), OWNING),
        *("replace", "retires", "mtr_a", None),
    ),
    "active, A retired, prices on A": (
        *(declare(retires=("mtr_a",)), [OTHER, I1], ("p@mtr_a",), OWNING),
        *("replace", "retires", "mtr_a", "mtr_1"),
    ),
    "active, A retired, prices on a twin that differs": (
        *(declare(retires=("mtr_a",)), [OTHER, ODD1], ("p@mtr_1",), OWNING),
        *("blocked", "prices_on_other_meter", "mtr_a", None),
    ),
    "active, A retired, prices on two twins": (
        *(declare(retires=("mtr_a",)), [OTHER, I1, I2], ("p@mtr_1", "q@mtr_2"), OWNING),
        *("blocked", "prices_on_several_meters", "mtr_a", None),
    ),
    "active, a same twin": (
        *(declare(), [I1], (), OWNING),
        *("reactivate", "inactive", "mtr_1", None),
    ),
    "active, a same twin of another name": (
        *(declare(display="New"), [I1], (), OWNING),
        *("reactivate", "inactive", "mtr_1", None),
    ),
    "active, two same twins": (
        *(declare(), [I1, I2], (), OWNING),
        *("reactivate", "inactive", "mtr_2", None),
    ),
    "active, two same twins, prices on the older": (
        *(declare(), [I1, I2], ("p@mtr_1",), OWNING),
        *("reactivate", "inactive", "mtr_1", None),
    ),
    "active, one same twin is older": (
        *(declare(), [I1, ODD2], (), OWNING),
        *("reactivate", "inactive", "mtr_1", None),
    ),
    "active, prices on the twin that is not same": (
        *(declare(), [I1, ODD2], ("p@mtr_2",), OWNING),
        *("blocked", "prices_on_other_meter", None, None),
    ),
    "active, prices on the only twin, not same": (
        *(declare(), [ODD1], ("p@mtr_1",), OWNING),
        *("blocked", "prices_on_other_meter", None, None),
    ),
    "active, prices on several twins": (
        *(declare(), [I1, I2], ("p@mtr_1", "q@mtr_2"), OWNING),
        *("blocked", "prices_on_several_meters", None, None),
    ),
    "active, prices on several twins, one retired": (
        *(declare(retires=("mtr_2",)), [I1, I2], ("p@mtr_1", "q@mtr_2"), OWNING),
        *("reactivate", "inactive", "mtr_1", None),
    ),
    "active, prices on several twins, all retired": (
        *(declare(retires=("mtr_1", "mtr_2")), [ODD1, ODD2], ("p@mtr_1", "q@mtr_2"), OWNING),
        *("create", "inactive_differ", None, None),
    ),
    "active, prices on a twin that is not same, retired": (
        *(declare(retires=("mtr_2",)), [I1, ODD2], ("p@mtr_2",), OWNING),
        *("reactivate", "inactive", "mtr_1", None),
    ),
    "active, no twin same": (
        *(declare(), [ODD1, ODD2], (), OWNING),
        *("create", "inactive_differ", None, None),
    ),
    "active, nothing live": (declare(), [], (), OWNING, "create", "missing", None, None),
    "inactive, A same": (
        *(retire(), [A, I1], (), REPORTING),
        *("deactivate", "declared_inactive", "mtr_a", None),
    ),
    "inactive, A of another display_name": (
        *(retire(display="New"), [A], (), REPORTING),
        *("deactivate", "declared_inactive", "mtr_a", None),
    ),
    "inactive, A not same": (
        *(retire(), [OTHER], (), OWNING),
        *("blocked", "differs", "mtr_a", None),
    ),
    "inactive, A not same, retired": (
        *(retire(retires=("mtr_a",)), [OTHER], (), REPORTING),
        *("deactivate", "declared_inactive", "mtr_a", None),
    ),
    "inactive, no A": (
        *(retire(display="New"), [I1, ODD2], (), OWNING),
        *("unchanged", "retired", "mtr_2", None),
    ),
    "inactive, nothing live": (retire(), [], (), OWNING, "unchanged", "retired", None, None),
    "undeclared, reported": (None, [A], (), REPORTING, "unmanaged", "undeclared", "mtr_a", None),
    "undeclared, owned": (None, [A], (), OWNING, "deactivate", "owned", "mtr_a", None),
    "undeclared, of another owner": (
        *(None, [A], (), Policy(undeclared=Undeclared.DEACTIVATE, owns=("ai_*",))),
        *("unmanaged", "undeclared", "mtr_a", None),
    ),
    "undeclared, owned but only reported": (
        *(None, [A], (), Policy(owns=("*",))),
        *("unmanaged", "undeclared", "mtr_a", None),
    ),
    "undeclared, owned, a twin": (
        *(None, [A, I1], (), OWNING),
        *("deactivate", "owned", "mtr_a", None),
    ),
    "undeclared, inactive": (None, [I1, I2], (), OWNING, "unchanged", "retired", "mtr_2", None),
    "two A": (
        *(declare(), [A, existing("mtr_b")], (), OWNING),
        *("blocked", "two_active", None, None),
    ),
    "two A, one retired": (
        *(declare(retires=("mtr_a",)), [OTHER, existing("mtr_b")], (), OWNING),
        *("blocked", "two_active", None, None),
    ),
    "two A, to be retired": (
        *(retire(), [A, existing("mtr_b")], (), OWNING),
        *("blocked", "two_active", None, None),
    ),
    "two A, undeclared": (
        *(None, [A, existing("mtr_b")], (), OWNING),
        *("unmanaged", "two_active", None, None),
    ),
}
