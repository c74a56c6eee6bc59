"""Which event explains a finding, and who caused it."""

from __future__ import annotations

import pytest
from builders.meters import NOW, declare, existing, inactive, inspect_all, retire
from msgspec.structs import replace

from reconciler.drift.attribution import REACH, attribute, needs_events
from reconciler.drift.exemptions import exempt
from reconciler.model.event import Event
from reconciler.model.finding import Origin
from reconciler.model.project import Ignore

HOUR = 3600
PLAN = "0123456789abcdef0123456789abcdef"
OURS = f"reconciler-abcdef012345-{PLAN}-3-1"


def event(type_, meter="mtr_a", ago=HOUR, key=None, **previous):
    """Return an event about a meter, `ago` seconds old."""
    return Event(
        id=f"evt_{type_}_{meter}_{ago}",
        type=f"billing.meter.{type_}",
        created=NOW - ago,
        object={"id": meter},
        previous_attributes=previous,
        request_id=f"req_{ago}",
        idempotency_key=key,
    )


def attribute_first(entries, *events, jobs=None):
    """Return the first finding, attributed by these events (newest first)."""
    return attribute(entries, events, NOW, jobs or {})[0].findings[0]


INACTIVE = inspect_all([declare()], [inactive("mtr_a", at=NOW - HOUR)])
INACTIVE_DIFFERS = inspect_all([declare()], [inactive("mtr_a", at=NOW - HOUR, formula="count")])
PRICED = inspect_all([retire()], [inactive("mtr_a", at=NOW - HOUR)], "p@mtr_a")
RENAMED = inspect_all([declare()], [existing(display="Other", updated=NOW - HOUR)])
DIFFERS = inspect_all([declare()], [existing(formula="count")])
UNMANAGED = inspect_all([], [existing()])
RUNNING = inspect_all([retire()], [existing()])
TWO = inspect_all([declare()], [existing("mtr_a"), existing("mtr_b")])
OLD = inspect_all([declare()], [inactive(at=NOW - REACH - 1)])


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        (INACTIVE, event("deactivated")),
        (INACTIVE_DIFFERS, event("deactivated")),
        (PRICED, event("deactivated")),
        (RENAMED, event("updated", display_name="Calls")),
        (RENAMED, event("created")),
        (DIFFERS, event("created")),
        (DIFFERS, event("reactivated")),
        (UNMANAGED, event("created")),
        (UNMANAGED, event("reactivated")),
        (RUNNING, event("reactivated")),
        (RUNNING, event("created")),
        (TWO, event("created", "mtr_b")),
    ],
)
def test_the_latest_event_of_its_kind_explains_a_finding(entries, found):
    unrelated = [
        event("updated", ago=1, updated=5),
        event("deactivated", "mtr_z", ago=2),
        event("created", "mtr_z", ago=3),
    ]
    older = replace(found, id="evt_older", created=NOW - 9 * HOUR, request_id="req_older")
    finding = attribute_first(entries, *unrelated, found, older)
    assert finding.attribution.at == finding.since == NOW - HOUR
    assert finding.attribution.request_id == "req_3600"


@pytest.mark.parametrize(
    ("entries", "other"),
    [
        (INACTIVE, event("reactivated")),
        (INACTIVE, event("updated", status="active")),
        (RENAMED, event("updated", updated=1)),
        (RENAMED, event("deactivated")),
        (UNMANAGED, event("deactivated")),
        (UNMANAGED, event("updated", display_name="Calls")),
    ],
)
def test_other_events_explain_nothing(entries, other):
    finding = attribute_first(entries, other)
    assert (finding.attribution.origin, finding.attribution.at) == (Origin.OLDER, None)


def test_a_second_deactivation_counts_while_events_are_read_on():
    """Another finding needs older events, which do not replace the newer explanation."""
    entries = INACTIVE + inspect_all([], [existing("mtr_z", "stray")])
    names = ["deactivated", "reactivated", "deactivated"]
    first, *older = [event(name, ago=n * HOUR) for n, name in enumerate(names, 1)]
    assert attribute_first(entries, first, *older).attribution.at == first.created


@pytest.mark.parametrize(
    ("key", "origin", "note"),
    [
        (OURS, Origin.OURS, f"by reconciler, plan {PLAN} at commit abcdef012345, job 7"),
        (f"reconciler-none-{PLAN}-3-1", Origin.OURS, f"by reconciler, plan {PLAN}, job 7"),
        ("f47ac10b-58cc", Origin.ANOTHER_CLIENT, "the idempotency key is not from reconciler"),
        ("reconciler-x", Origin.ANOTHER_CLIENT, "the idempotency key is not from reconciler"),
        (None, Origin.OUTSIDE, "not reconciler: no idempotency key was sent; possibly"),
    ],
)
def test_the_origin_is_read_from_the_idempotency_key(key, origin, note):
    found = event("deactivated", key=key)
    attribution = attribute_first(INACTIVE, found, jobs={PLAN: "job 7"}).attribution
    assert attribution.origin == origin
    assert note in attribution.note
    assert attribution.note.startswith("billing.meter.deactivated at 2026-09-21T13:13:20Z")
    assert (attribution.plan_id == PLAN) is (origin == Origin.OURS)


def test_an_outage_begins_when_the_meter_says_so_and_not_the_event():
    finding = attribute_first(INACTIVE, event("deactivated", ago=HOUR - 2))
    assert finding.since == NOW - HOUR
    assert finding.attribution.at == NOW - HOUR + 2


def test_events_are_read_once_and_no_further_than_needed():
    read = []

    def events():
        for one in (event("created", "mtr_2"), event("deactivated", "mtr_1"), event("created")):
            read.append(one.object["id"])
            yield one

    account = [inactive("mtr_1", "a", at=NOW - HOUR), existing("mtr_2", "b")]
    entries = attribute(inspect_all([declare("a")], account), events(), NOW, {})
    origins = [entry.findings[0].attribution.origin for entry in entries]
    assert origins == [Origin.OUTSIDE] * 2
    assert read == ["mtr_2", "mtr_1"]


@pytest.mark.parametrize(
    ("entries", "needed"),
    [
        (inspect_all([declare()], [existing()]), False),
        (inspect_all([declare()], []), False),
        (OLD, False),
        (inspect_all([declare()], [inactive(at=NOW - REACH)]), True),
        (inspect_all([], [existing(created=NOW - 2 * REACH)]), True),
    ],
    ids=["in sync", "never created", "too old", "within 30 days", "active"],
)
def test_events_are_needed_only_where_they_could_explain_a_finding(entries, needed):
    assert needs_events(entries, NOW) is needed


def test_exempt_findings_need_no_events():
    """They are attributed where events are read for other findings."""
    rule = Ignore(event_name="calls", kind="unmanaged", reason="old", until="2027-01-31")
    entries = tuple(exempt(entry, [rule], "2026-09-21") for entry in UNMANAGED)
    assert not needs_events(entries, NOW)
    assert attribute(entries, None, NOW, {}) == entries
    both = entries + inspect_all([declare("x")], [inactive("mtr_x", "x", at=NOW - HOUR)])
    attributed = attribute(both, [event("created"), event("deactivated", "mtr_x")], NOW, {})
    origins = [entry.findings[0].attribution.origin for entry in attributed]
    assert origins == [Origin.OUTSIDE] * 2


def test_a_meter_that_was_never_created_has_no_attribution():
    assert attribute_first(inspect_all([declare()], [])).attribution is None


def test_a_finding_older_than_the_events_is_attributed_without_them():
    finding = attribute(OLD, None, NOW, {})[0].findings[0]
    assert finding.attribution.origin == Origin.OLDER
    assert "no event of the last 30 days" in finding.attribution.note
    assert finding == replace(OLD[0].findings[0], attribution=finding.attribution)
