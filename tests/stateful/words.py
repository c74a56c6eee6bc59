"""The words of a story, so that a failing one can be read and run again.

A meter is `ai_a sum raw One`, and perhaps `stopped`, and `priced` or `sold` (on an archived price
that has a subscription). A declaration is the same,
and perhaps `inactive`, `protect`, `accepts`, `retires:active`, `retires:twins`. An edit in the
Dashboard is `stop ai_a`, a moment `3 before`: right before the effect of the third request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from builders.emulated import Context
from builders.meters import declare, existing, inactive
from hypothesis import strategies as st
from stateful.ledger import billing, held

from reconciler.model.meter import ExistingMeter, Status
from reconciler.model.price import Price
from reconciler.model.project import MeterConfig, Undeclared

NAMES = ("ai_a", "ai_b", "bill_c", "x")
A_NAME = st.sampled_from(NAMES)
SETTINGS = st.builds(
    "{} {} {}".format,
    st.sampled_from(["sum", "sum", "count"]),
    st.sampled_from(["raw", "raw", "raw", "day"]),
    st.sampled_from(["One", "Two"]),
)
METER = st.builds(
    "{}{}{}".format,
    SETTINGS,
    st.sampled_from(["", " stopped"]),
    st.sampled_from(["", "", "", "", " priced", " sold"]),
)


@st.composite
def accounts(draw: st.DrawFn) -> list[str]:
    """Up to three meters a name; hardly ever two active ones, which the API never lets be."""
    found: list[str] = []
    for name in NAMES:
        some = draw(st.lists(METER, max_size=3))
        running = [n for n, words in enumerate(some) if "stopped" not in words]
        if len(running) > 1 and draw(st.integers(0, 9)):
            some = [f"{w} stopped" if n in running[1:] else w for n, w in enumerate(some)]
        found += [f"{name} {words}" for words in some]
    return found


CONSENTS = (
    *("", "", "", " inactive", " inactive accepts", " protect", " retires:active"),
    *(" accepts retires:active", " accepts retires:active retires:twins", " retires:twins"),
)
DECLARED = st.builds("{} {}{}".format, A_NAME, SETTINGS, st.sampled_from(CONSENTS))
FILES = st.lists(DECLARED, min_size=1, max_size=4, unique_by=lambda words: words.split()[0])
POLICIES = st.builds(
    "{} {} protect={} most={}".format,
    st.sampled_from(["report", "deactivate", "deactivate"]),
    st.sampled_from(["*", "ai_*"]),
    st.sampled_from(["", "", "", "bill_*"]),
    st.sampled_from([9, 9, 9, 2, 1, 0]),
)
SWITCHES = st.lists(
    st.sampled_from(
        [
            ("deactivate_inactive", "error"),
            ("reactivate_active", "error"),
            ("update_inactive", "error"),
            ("list_scope", "active"),
            ("name_scope", "all"),
            ("updated_moves", "off"),
            ("deactivate_emits_updated", "on"),
            ("list_lag", "2s"),
        ]
    ),
    max_size=2,
    unique=True,
).map(dict)
EDITS = st.builds(
    "{} {}".format, st.sampled_from(["deactivate", "reactivate", "rename"]), A_NAME
) | (
    st.builds("{} {}".format, st.sampled_from(["price", "unprice"]), A_NAME)
    | st.builds("create {} {}".format, A_NAME, SETTINGS)
)
MOMENTS = st.builds("{} {}".format, st.integers(1, 12), st.sampled_from(["before", "after"]))
DURING = st.just("") | st.builds(
    "{}: {}".format, MOMENTS, st.sampled_from(["killed", "signal", "two signals"]) | EDITS
)
REFUSALS = st.sampled_from(["SKIP", "ABORT"])
KINDS = ["500:before", "500:after", "reset:before", "reset:after", "timeout:after"]
KINDS += ["409:before", "429:before", "garbage:after", "truncated:after"]
STRUCK = [f"post={n}" for n in (1, 2, 3, 4, 1, 2)] + [f"method=GET:nth={n}" for n in (1, 4, 5)]
STRUCK += ["chance=0.2", "chance=0.6", "path=/v1/billing/meters:method=POST", "path=*activate"]
POSTED = [*STRUCK[:6], *STRUCK[-2:]]
FAULTS = st.lists(
    st.builds("{}:{}".format, st.sampled_from(KINDS), st.sampled_from(STRUCK))
    | st.builds(
        "{}:{}".format, st.sampled_from(["401:after", "403:after", "dup"]), st.sampled_from(POSTED)
    ),
    min_size=1,
    max_size=2,
)


def settings_of(words: list[str]) -> dict[str, Any]:
    """`sum raw One` as the keywords of `worlds.live` and `worlds.declare`."""
    formula, window, display = words
    return {
        "formula": formula,
        "window": None if window == "raw" else window,
        "display": display,
    }


def seeded(account: list[str]) -> tuple[list[ExistingMeter], list[Price]]:
    """The meters and prices that an account of these words begins with."""
    meters, prices = [], []
    for n, (name, *words) in enumerate(each.split() for each in account):
        make: Any = inactive if "stopped" in words else existing
        meters.append(make(f"mtr_{n}", name, created=1_600_000_000 + n, **settings_of(words[:3])))
        if "priced" in words or "sold" in words:
            prices.append(Price(f"price_{n}", f"mtr_{n}", active="priced" in words))
    return meters, prices


def declaration(
    text: str, account: Iterable[ExistingMeter], prices: Iterable[Price]
) -> MeterConfig:
    """A declaration; what it consents to is what the account holds when it is written."""
    name, *words = text.split()
    mine = [meter for meter in account if meter.event_name == name]
    retired = [m.id for m in mine if f"retires:{'active' if m.active else 'twins'}" in words]
    billing = [price.id for price in prices if price.meter in {meter.id for meter in mine}]
    return declare(
        name,
        status=Status.INACTIVE if "inactive" in words else Status.ACTIVE,
        protect="protect" in words,
        retires=tuple(retired),
        accepts=tuple(billing) if "accepts" in words else (),
        **settings_of(words[:3]),
    )


def policy_of(text: str) -> dict[str, Any]:
    """`deactivate ai_* protect=bill_* most=2` as the fields of a policy."""
    undeclared, owns, protect, most = text.split()
    protected = protect.removeprefix("protect=")
    return {
        "undeclared": Undeclared(undeclared),
        "owns": (owns,),
        "protect": (protected,) if protected else (),
        "max_deactivations": int(most.removeprefix("most=")),
    }


def edit(it: Context, text: str) -> None:
    """An edit in the Dashboard; no effect where there is no such meter.

    It is done to the active meter of a name, else to the last; the first is reactivated. Raises
    RequestError where the API refuses it.
    """
    what, name, *words = text.split()
    mine = sorted(held(it, name), key=lambda meter: meter.active)
    prices = [price for price in billing(it) if price.meter in {meter.id for meter in mine}]
    if what == "create":
        it.server.edit("/v1/billing/meters", created(name, words))
    elif what == "unprice":
        for price in [price for price in prices if price.active][:1]:
            it.server.edit(f"/v1/prices/{price.id}", {"active": False})
    elif mine and what == "price":
        it.server.edit("/v1/prices", priced(mine[-1].id))
    elif mine:
        operation = "" if what == "rename" else what
        it.edit(
            (mine[0] if what == "reactivate" else mine[-1]).id, operation, **named(what, mine[-1])
        )


def named(what: str, meter: ExistingMeter) -> dict[str, str]:
    """Another name for a meter that is to be renamed."""
    other = {"One": "Two", "Two": "Three"}.get(meter.display_name, "One")
    return {"display_name": other} if what == "rename" else {}


def created(name: str, words: list[str]) -> dict[str, Any]:
    """The parameters of a new meter."""
    formula, window, display = words
    facts = {"event_name": name, "display_name": display}
    window_too = {} if window == "raw" else {"event_time_window": window}
    return {**facts, **window_too, "default_aggregation": {"formula": formula}}


def priced(meter: str) -> dict[str, Any]:
    """The parameters of a new price that bills on a meter."""
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter}
    product = {"name": "Usage"}
    return {"currency": "usd", "unit_amount": 1, "product_data": product, "recurring": recurring}
