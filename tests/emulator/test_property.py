"""Stripe's promises hold after any sequence of requests."""

import json

from emulator.client import METERS, account, meter
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator import Fault
from reconciler.emulator.messages import Request

NAMES = st.sampled_from(["a", "b", "c"])
WHICH = st.integers(0, 4)
KEYS = st.one_of(st.none(), st.sampled_from(["k1", "k2", "k3"]))
CALLS = st.one_of(
    st.tuples(st.just("create"), NAMES, KEYS),
    st.tuples(st.sampled_from(["deactivate", "reactivate", "rename"]), WHICH, KEYS),
)
FAULTS = st.lists(
    st.builds(
        "{}:{}:n={}".format,
        st.sampled_from(["500", "reset", "429", "409", "garbage", "timeout"]),
        st.sampled_from(["before", "after"]),
        st.integers(1, 12),
    ).map(Fault.parse),
    max_size=4,
)


def posting(emulated, call):
    """Build the request of a call; meters are numbered, an unused number is an unknown id."""
    verb, what, key = call
    if verb == "create":
        return emulated.posting(METERS, key, **meter(what))
    meters = emulated.meters
    path = f"{METERS}/{meters[what]['id'] if what < len(meters) else 'mtr_nope'}"
    if verb == "rename":
        return emulated.posting(path, key, display_name="Renamed")
    return emulated.posting(f"{path}/{verb}", key)


def perform(emulated, call):
    """Make a call, a second after the one before."""
    emulated.now += 1
    return emulated.ask(posting(emulated, call))


NAMES_IN_FORMS = st.sampled_from(
    ["event_name", "display_name", "default_aggregation[formula]", "limit", "expand[]", "expand[0]",
     "recurring[meter]", "types[]", "created[gte]", "created", "status", "a[", "metadata[x]", ""]
)  # fmt: skip
FORMS = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.tuples(
            st.one_of(NAMES_IN_FORMS, st.text("ab[]0=%+", max_size=9)),
            st.one_of(st.sampled_from(["sum", "1", "", "true"]), st.text(max_size=6)),
        ),
        max_size=6,
    ).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode()),
)
PATHS = st.one_of(
    st.sampled_from([METERS, f"{METERS}/mtr_1", "/v1/prices", "/v1/prices/price_1", "/v1/events",
                     "/v1/account", f"{METERS}/mtr_1/deactivate"]),
    st.text(max_size=20),
)  # fmt: skip


@given(st.sampled_from(["GET", "POST", "DELETE"]), PATHS, FORMS, FORMS)
def test_every_request_is_answered(method, path, query, body):
    """In JSON, with a request id, whatever is sent."""
    emulated = account(seed={"meters": [meter("a", id="mtr_1")]})
    asked = Request(method, path, query.decode("latin-1"), emulated.headers, body)
    response = emulated.ask(asked)
    assert response.status in (200, 400, 404)
    assert isinstance(response.json, dict)
    assert response.headers["Request-Id"]


def snapshot(emulated):
    """Everything in the account, except for the stored replies."""
    ledger = emulated.state.ledger
    return json.dumps([ledger.meters, ledger.prices, ledger.events])


@given(
    st.lists(CALLS, max_size=12),
    FAULTS,
    st.sampled_from(["active", "all"]),
    st.sampled_from(["noop", "error"]),
)
def test_the_promises_hold(calls, faults, scope, repeat):
    """One active meter per event_name, one event per effect, no effect of a replay or a refusal."""
    emulated = account(
        *faults, name_scope=scope, deactivate_inactive=repeat, reactivate_active=repeat
    )
    for call in calls:
        before, events = snapshot(emulated), len(emulated.events)
        meters = {each["id"]: each for each in emulated.meters}
        response = perform(emulated, call)
        changed = [each for each in emulated.meters if meters.get(each["id"]) != each]
        assert len(emulated.events) - events == len(changed) <= 1
        if response.replayed or (response.status or 500) in (400, 404):
            assert snapshot(emulated) == before
        active = [each["event_name"] for each in emulated.meters if each["status"] == "active"]
        assert len(active) == len(set(active))
        assert all(
            event["data"]["object"] == each
            for event, each in zip(emulated.events[events:], changed, strict=True)
        )


@given(st.lists(CALLS, max_size=12))
def test_the_objects_are_consistent(calls):
    """Status, times and lists agree with one another."""
    emulated = account()
    for call in calls:
        perform(emulated, call)
    for each in emulated.meters:
        deactivated = each["status_transitions"]["deactivated_at"]
        assert (deactivated is not None) == (each["status"] == "inactive")
        assert each["created"] <= each["updated"]
    listed = emulated.get(limit=100).json["data"]
    assert listed == emulated.meters[::-1]
    active, inactive = (emulated.get(status=s, limit=100).ids for s in ("active", "inactive"))
    assert sorted([*active, *inactive]) == sorted(each["id"] for each in listed)


@given(st.lists(CALLS, max_size=8))
def test_repeating_every_request_under_its_key_has_no_effect(calls):
    """Each answer is the first one again, whatever has changed since."""
    emulated = account()
    requests, first = [], []
    for n, (verb, what, _) in enumerate(calls):
        requests.append(posting(emulated, (verb, what, f"key-{n}")))
        first.append(emulated.ask(requests[-1]))
    before = snapshot(emulated)
    for request, response in zip(requests, first, strict=True):
        again = emulated.ask(request)
        assert again.replayed
        assert (again.status, again.json) == (response.status, response.json)
    assert snapshot(emulated) == before
