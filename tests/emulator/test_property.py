"""Whatever is asked in whatever order, what Stripe promises of an account holds."""

import json

from emulator.asking import METERS, account, meter
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
    """The request of a call; targets are counted, one that is not there is an unknown id."""
    verb, what, key = call
    if verb == "create":
        return emulated.posting(METERS, key, **meter(what))
    meters = emulated.meters
    path = f"{METERS}/{meters[what]['id'] if what < len(meters) else 'mtr_nope'}"
    if verb == "rename":
        return emulated.posting(path, key, display_name="Renamed")
    return emulated.posting(f"{path}/{verb}", key)


def perform(emulated, call):
    """One call, a second after the one before."""
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
def test_no_request_makes_it_stumble(method, path, query, body):
    """Whatever is sent, there is an answer of the API, in JSON, with an id."""
    emulated = account(seed={"meters": [meter("a", id="mtr_1")]})
    asked = Request(method, path, query.decode("latin-1"), emulated.headers, body)
    said = emulated.ask(asked)
    assert said.status in (200, 400, 404)
    assert isinstance(said.json, dict)
    assert said.headers["Request-Id"]


def replayed(said):
    return said.answer.response is not None and "idempotent-replayed" in said.headers


def meaning(emulated):
    """All that the account holds, apart from the replies to keys."""
    ledger = emulated.state.ledger
    return json.dumps([ledger.meters, ledger.prices, ledger.events])


@given(
    st.lists(CALLS, max_size=12),
    FAULTS,
    st.sampled_from(["active", "all"]),
    st.sampled_from(["noop", "error"]),
)
def test_what_stripe_promises_holds(calls, faults, scope, repeat):
    """One active meter a name, one event an effect, no effect of a replay or a refusal."""
    emulated = account(
        *faults, name_scope=scope, deactivate_inactive=repeat, reactivate_active=repeat
    )
    for call in calls:
        before, events = meaning(emulated), len(emulated.events)
        meters = {each["id"]: each for each in emulated.meters}
        said = perform(emulated, call)
        changed = [each for each in emulated.meters if meters.get(each["id"]) != each]
        assert len(emulated.events) - events == len(changed) <= 1
        if replayed(said) or (said.status or 500) in (400, 404):
            assert meaning(emulated) == before
        active = [each["event_name"] for each in emulated.meters if each["status"] == "active"]
        assert len(active) == len(set(active))
        assert all(
            event["data"]["object"] == each
            for event, each in zip(emulated.events[events:], changed, strict=True)
        )


@given(st.lists(CALLS, max_size=12))
def test_the_objects_are_consistent(calls):
    """Status, times and lists agree with one another at the end."""
    emulated = account()
    for call in calls:
        perform(emulated, call)
    for each in emulated.meters:
        stopped = each["status_transitions"]["deactivated_at"]
        assert (stopped is not None) == (each["status"] == "inactive")
        assert each["created"] <= each["updated"]
    listed = emulated.get(limit=100).json["data"]
    assert listed == emulated.meters[::-1]
    active, inactive = (emulated.get(status=s, limit=100).ids for s in ("active", "inactive"))
    assert sorted([*active, *inactive]) == sorted(each["id"] for each in listed)


@given(st.lists(CALLS, max_size=8))
def test_asking_everything_again_under_its_key_changes_nothing(calls):
    """The second time, each answer is the first one again, whatever has changed since."""
    emulated = account()
    requests, first = [], []
    for n, (verb, what, _) in enumerate(calls):
        requests.append(posting(emulated, (verb, what, f"key-{n}")))
        first.append(emulated.ask(requests[-1]))
    held = meaning(emulated)
    for request, said in zip(requests, first, strict=True):
        again = emulated.ask(request)
        assert replayed(again)
        assert (again.status, again.json) == (said.status, said.json)
    assert meaning(emulated) == held
