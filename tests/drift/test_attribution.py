"""Which event explains a finding, and whose doing it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders.worlds import COMMANDS, declare, existing, priced, retire, stopped

from reconciler.drift.attribution import REACH, attribute, needs_events
from reconciler.drift.exemptions import exempt
from reconciler.drift.findings import DriftInput, inspect
from reconciler.model.event import Event
from reconciler.model.finding import Origin
from reconciler.model.match import match_meters
from reconciler.model.project import Ignore, Policy

NOW = 1_790_000_000
HOUR = 3600
PLAN = "0123456789abcdef0123456789abcdef"
OURS = f"reconciler-abcdef012345-{PLAN}-3-1"


def take_snapshot(declared, account, *prices):
    """The lines of an audit, before anybody asked the events."""
    known = DriftInput(commands=COMMANDS, policy=Policy(), prices=priced(*prices), now=NOW)
    return tuple(inspect(names, known) for names in match_meters(declared, account))


def event(type_, meter="mtr_a", ago=HOUR, key=None, **previous):
    """An event about a meter, `ago` seconds old."""
    return Event(
        id=f"evt_{type_}_{meter}_{ago}",
        type=f"billing.meter.{type_}",
        created=NOW - ago,
        object={"id": meter},
        previous_attributes=previous,
        request_id=f"req_{ago}",
        idempotency_key=key,
    )


def explained(lines, *events, jobs=None):
    """The first finding, once these events (newest first) have been asked."""
    return attribute(lines, events, NOW, jobs or {})[0].findings[0]


STOPPED = ([declare()], [stopped("mtr_a", at=NOW - HOUR)])
RENAMED = ([declare()], [existing(display="Other", updated=NOW - HOUR)])
DIFFERS = ([declare()], [existing(formula="count")])
UNMANAGED = ([], [existing()])
RUNNING = ([retire()], [existing()])
TWO = ([declare()], [existing("mtr_a"), existing("mtr_b")])
ON_INACTIVE = ([retire()], [stopped("mtr_a", at=NOW - HOUR)], "p@mtr_a")
TWIN_DIFFERS = ([declare()], [stopped("mtr_a", at=NOW - HOUR, formula="count")])

EXPLAINS = [
    (STOPPED, event("deactivated")),
    (TWIN_DIFFERS, event("deactivated")),
    (ON_INACTIVE, event("deactivated")),
    (RENAMED, event("updated", display_name="Calls")),
    (RENAMED, event("created")),
    (DIFFERS, event("created")),
    (DIFFERS, event("reactivated")),
    (UNMANAGED, event("created")),
    (UNMANAGED, event("reactivated")),
    (RUNNING, event("reactivated")),
    (RUNNING, event("created")),
    (TWO, event("created", "mtr_b")),
]


@pytest.mark.parametrize(("world", "on_result"), EXPLAINS, ids=lambda v: getattr(v, "id", None))
def test_each_kind_has_its_events(world, on_result):
    """Time and request id are those of the event; others before and after do not matter."""
    noise = [
        event("updated", ago=1, updated=5),
        event("deactivated", "mtr_z", ago=2),
        event("created", "mtr_z", ago=3),
    ]
    finding = explained(
        take_snapshot(*world),
        *noise,
        on_result,
        event(on_result.type, on_result.object["id"], 9 * HOUR),
    )
    assert finding.attribution.at == finding.since == NOW - HOUR
    assert finding.attribution.request_id == "req_3600"


UNEXPLAINED = [
    (STOPPED, event("reactivated")),
    (STOPPED, event("updated", status="active")),
    (RENAMED, event("updated", updated=1)),
    (RENAMED, event("deactivated")),
    (UNMANAGED, event("deactivated")),
    (UNMANAGED, event("updated", display_name="Calls")),
]


@pytest.mark.parametrize(("world", "other"), UNEXPLAINED, ids=lambda v: getattr(v, "id", None))
def test_other_events_explain_nothing(world, other):
    """Better no answer than a wrong one."""
    finding = explained(take_snapshot(*world), other)
    assert finding.attribution.origin == Origin.OLDER
    assert finding.attribution.at is None


def test_the_latest_event_that_explains_counts():
    """Stopped, woken, stopped again: the last stop it was."""
    events = [event("deactivated", ago=HOUR), event("reactivated", ago=2 * HOUR)]
    events.append(event("deactivated", ago=3 * HOUR))
    lines = (
        *take_snapshot(*STOPPED),
        *take_snapshot([], [existing("mtr_z", "stray")]),
    )  # the second reads on
    assert explained(lines, *events).attribution.at == NOW - HOUR


@pytest.mark.parametrize(
    ("key", "origin", "said"),
    [
        (OURS, Origin.OURS, f"by reconciler, plan {PLAN} at commit abcdef012345, job 7"),
        (f"reconciler-none-{PLAN}-3-1", Origin.OURS, f"by reconciler, plan {PLAN}, job 7"),
        ("f47ac10b-58cc", Origin.ANOTHER_CLIENT, "the idempotency key is not from reconciler"),
        (
            "reconciler-made-up",
            Origin.ANOTHER_CLIENT,
            "the idempotency key is not from reconciler",
        ),
        (None, Origin.OUTSIDE, "not reconciler: no idempotency key was sent; possibly"),
    ],
)
def test_whose_it_was_is_read_from_the_idempotency_key(key, origin, said):
    """Commit and plan stand in ours; of no key, no more is claimed than is known."""
    finding = explained(
        take_snapshot(*STOPPED), event("deactivated", key=key), jobs={PLAN: "job 7"}
    )
    assert finding.attribution.origin == origin
    assert said in finding.attribution.note
    assert finding.attribution.note.startswith("billing.meter.deactivated at 2026-09-21T13:13:20Z")
    assert (finding.attribution.plan_id == PLAN) is (origin == Origin.OURS)


def test_the_moment_of_a_stop_is_the_meter_s_own():
    """Events tell who; `deactivated_at` is what the outage clock runs on."""
    finding = explained(take_snapshot(*STOPPED), event("deactivated", ago=HOUR - 2))
    assert finding.since == NOW - HOUR
    assert finding.attribution.at == NOW - HOUR + 2


def test_one_pass_explains_everything_and_stops_there():
    """Events are read lazily: none further back than the last one needed."""
    read = []

    def events():
        for one in (event("created", "mtr_2"), event("deactivated", "mtr_1"), event("created")):
            read.append(one.object["id"])
            yield one

    account = [stopped("mtr_1", "a", at=NOW - HOUR), existing("mtr_2", "b")]
    lines = attribute(take_snapshot([declare("a")], account), events(), NOW, {})
    assert [line.findings[0].attribution.origin for line in lines] == [Origin.OUTSIDE] * 2
    assert read == ["mtr_2", "mtr_1"]


def test_there_is_nothing_to_ask_about_what_no_event_can_tell():
    """In sync, never made, or stopped longer ago than Stripe remembers."""
    assert not needs_events(take_snapshot([declare()], [existing()]), NOW)
    assert not needs_events(take_snapshot([declare()], []), NOW)
    assert not needs_events(take_snapshot([declare()], [stopped(at=NOW - REACH - 1)]), NOW)
    assert needs_events(take_snapshot([declare()], [stopped(at=NOW - REACH)]), NOW)
    assert needs_events(take_snapshot([], [existing(created=NOW - 2 * REACH)]), NOW)


def test_nobody_is_asked_for_the_sake_of_exempt_findings():
    """They are told all the same, and explained where others have the events read."""
    rule = Ignore(event_name="calls", kind="unmanaged", reason="old", until="2027-01-31")
    lines = tuple(exempt(line, [rule], "2026-09-21") for line in take_snapshot(*UNMANAGED))
    assert not needs_events(lines, NOW)
    assert attribute(lines, None, NOW, {}) == lines
    both = (*lines, *take_snapshot([declare("x")], [stopped("mtr_x", "x", at=NOW - HOUR)]))
    on_result = attribute(both, [event("created"), event("deactivated", "mtr_x")], NOW, {})
    assert [line.findings[0].attribution.origin for line in on_result] == [Origin.OUTSIDE] * 2


def test_a_meter_that_never_was_is_nobody_s_doing():
    """Nothing happened that an event could tell of."""
    assert explained(take_snapshot([declare()], [])).attribution is None


def test_what_is_too_old_is_said_to_be_so():
    """The page of events is not even asked for it."""
    old = take_snapshot([declare()], [stopped(at=NOW - REACH - 1)])
    finding = attribute(old, None, NOW, {})[0].findings[0]
    assert finding.attribution.origin == Origin.OLDER
    assert "no event of the last 30 days" in finding.attribution.note
    assert finding == replace(old[0].findings[0], attribution=finding.attribution)
