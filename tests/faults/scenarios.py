"""Plans of one kind of line each, and of all kinds, and what they leave behind undisturbed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from builders.emulated import Context, context
from builders.in_process import in_turn
from builders.meters import declare, existing, inactive, retire

from reconciler.emulator import Settings
from reconciler.model.meter import ExistingMeter
from reconciler.model.project import MeterConfig
from reconciler.stripe.codec import parse_meter

OLD = existing("mtr_o", "old", formula="count")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Files and an account; `meters` active in the end, and the effects that lead there."""

    declared: tuple[MeterConfig, ...]
    meters: tuple[ExistingMeter, ...]
    effects: tuple[str, ...]

    @property
    def requests(self) -> int:
        """How many requests that write an undisturbed run sends."""
        return len(self.effects)


SCENARIOS = {
    "create": Scenario((declare("new"),), (), ("created new",)),
    "update": Scenario(
        (declare("named", display="Other"),), (existing("mtr_n", "named"),), ("updated named",)
    ),
    "reactivate": Scenario(
        (declare("paused"),), (inactive("mtr_w", "paused"),), ("reactivated paused",)
    ),
    "reactivate and rename": Scenario(
        (declare("paused", display="Other"),),
        (inactive("mtr_w", "paused"),),
        ("reactivated paused", "updated paused"),
    ),
    "replace by a new one": Scenario(
        (declare("old", retires=("mtr_o",)),), (OLD,), ("deactivated old", "created old")
    ),
    "replace by a twin": Scenario(
        (declare("old", retires=("mtr_o",)),),
        (OLD, inactive("mtr_t", "old", display="Was")),
        ("deactivated old", "reactivated old", "updated old"),
    ),
    "deactivate": Scenario((retire("gone"),), (existing("mtr_g", "gone"),), ("deactivated gone",)),
    "deactivate what is undeclared": Scenario(
        (declare("same"),),
        (existing("mtr_e", "same"), existing("mtr_x", "x")),
        ("deactivated x",),
    ),
}
SCENARIOS["every kind"] = Scenario(
    declared=(
        declare("new"),
        declare("paused", display="Other"),
        declare("named", display="Other"),
        declare("old", retires=("mtr_o",)),
        retire("gone"),
        declare("same"),
    ),
    meters=(
        inactive("mtr_w", "paused"),
        existing("mtr_n", "named"),
        OLD,
        existing("mtr_g", "gone"),
        existing("mtr_e", "same"),
    ),
    effects=(
        *("created new", "reactivated paused", "updated paused", "updated named"),
        *("deactivated old", "created old", "deactivated gone"),
    ),
)

FAULTS = (
    "500:before",
    "500:after",
    "503:before",
    "reset:before",
    "reset:after",
    "timeout:before",
    "timeout:after",
    "409:before",
    "409:before:code=idempotency_key_in_use",
    "429:before",
    "429:before:reason=global-rate",
    "garbage:before",
    "garbage:after",
    "garbage:after:status=502",
    "truncated:after",
    "401:after",
    "403:after",
    "dup",
)
SWITCHES: dict[str, dict[str, object]] = {
    "as it is thought to be": {},
    "names are taken for ever": {"name_scope": "all"},
    "deactivating twice is an error": {"deactivate_inactive": "error"},
    "reactivating twice is an error": {"reactivate_active": "error"},
    "inactive meters keep their names": {"update_inactive": "error"},
    "lists hold active meters only": {"list_scope": "active"},
    "`updated` does not change": {"updated_moves": "off"},
    "a deactivation is an update too": {"deactivate_emits_updated": "on"},
    "reactivating into a taken name is a conflict": {"reactivate_conflict": "conflict"},
    "errors are worded otherwise": {
        "duplicate_error": "coded",
        "key_in_use_error": "invalid_request_error",
        "noun": "meter",
    },
    "lists lag": {"list_lag": 2.0},
    "few requests a second": {"rate_limit": 25.0},
}


@contextmanager
def acted_out(
    scenario: Scenario, *, in_process: bool = False, **switches: object
) -> Iterator[Context]:
    """The scenario's account and files, on an emulator with these switches.

    In process nothing runs side by side: each plan has one change of a kind.
    """
    world = {"declared": scenario.declared, "settings": Settings(**switches)}
    with (
        in_turn() if in_process else nullcontext(),
        context(scenario.meters, **world, in_process=in_process) as it,
    ):
        yield it


def effects(it: Context) -> Counter[str]:
    """What happened to which name; the update that a deactivation may bring is not counted."""
    with it.server.lock:
        events = list(it.server.state.ledger.events.values())
    found: Counter[str] = Counter()
    for event in events:
        if "status" not in event["data"].get("previous_attributes", {}):
            name = event["data"]["object"]["event_name"]
            found[f"{event['type'].removeprefix('billing.meter.')} {name}"] += 1
    return found


def as_declared(it: Context, scenario: Scenario) -> bool:
    """Whether exactly what is declared is active, with exactly the declared settings.

    As the account has stored it: a list may lag.
    """
    with it.server.lock:
        held = [parse_meter(meter) for meter in it.server.state.ledger.meters.values()]
    active = {meter.event_name: meter.meter for meter in held if meter.active}
    running = (desired for desired in scenario.declared if desired.status == "active")
    return active == {desired.event_name: desired.meter for desired in running}


def state_of(it: Context) -> str:
    """All that a later run can find, and what has happened; of times, their order.

    It begins after every lag of a list, and its requests have keys of their own.
    """
    with it.server.lock:
        held = list(it.server.state.ledger.meters.values())
    times = sorted({time for meter in held for time in _times(meter)})
    found = [({**meter, **_NO_TIMES}, [times.index(t) for t in _times(meter)]) for meter in held]
    return json.dumps([found, sorted(effects(it).items())], sort_keys=True)


_NO_TIMES = {"created": None, "updated": None, "status_transitions": None}


def _times(meter: dict[str, Any]) -> list[int]:
    stopped = meter["status_transitions"]["deactivated_at"]
    return [meter["created"], meter["updated"], *([stopped] if stopped else [])]
