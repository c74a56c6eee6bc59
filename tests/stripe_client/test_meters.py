"""The client against the emulator: every call and every parameter."""

from __future__ import annotations

import msgspec
import pytest
from stripe_client.scripted import Scripted, a_list, a_meter, http, make, to

from reconciler.diagnostics.errors import ServiceError
from reconciler.model.meter import CustomerMapping, DefaultAggregation, ValueSettings
from reconciler.stripe.client import Meters
from reconciler.stripe.errors import InvalidRequestError, NotFoundError


def test_the_life_of_a_meter(meters, server):
    created = make(meters)
    assert created.status == "active"
    assert meters.get(created.id) == created
    assert meters.update(created.id, display_name="Calls").display_name == "Calls"
    deactivated = meters.deactivate(created.id)
    assert (deactivated.status, deactivated.status_transitions.deactivated_at) == (
        "inactive",
        deactivated.updated,
    )
    assert not meters.get(created.id).active
    assert meters.reactivate(created.id).active
    assert [e.path.rsplit("/", 1)[1] for e in server.log.posts[2:]] == ["deactivate", "reactivate"]


@pytest.mark.parametrize("as_nouns", [True, False])
def test_every_parameter_of_create(as_nouns, meters, server):
    """Nested settings as nouns or as plain mappings."""
    blocks = {
        "default_aggregation": DefaultAggregation("last"),
        "customer_mapping": CustomerMapping("by_id", "customer"),
        "value_settings": ValueSettings("amount"),
    }
    if not as_nouns:
        blocks = {name: msgspec.to_builtins(block) for name, block in blocks.items()}
    created = make(meters, event_time_window="hour", idempotency_key="mine", **blocks)
    assert created.default_aggregation == DefaultAggregation("last")
    assert created.customer_mapping == CustomerMapping("by_id", "customer")
    assert created.value_settings == ValueSettings("amount")
    assert created.event_time_window == "hour"
    assert server.log.posts[0].key == "mine"


def test_omitted_parameters_are_not_sent(meters, server):
    created = make(meters)
    assert (created.value_settings, created.customer_mapping) == (
        ValueSettings(),
        CustomerMapping(),
    )
    assert created.event_time_window is None
    sent = server.log.posts[0].params
    assert set(sent) == {"display_name", "event_name", "default_aggregation"}


def test_pages_and_cursors(meters):
    ids = [make(meters, f"name_{n}").id for n in range(12)][::-1]
    meters.deactivate(ids[3])
    first = meters.list()
    assert ([m.id for m in first.data], first.has_more) == (ids[:10], True)
    assert [m.id for m in meters.list(limit=3, starting_after=ids[4]).data] == ids[5:8]
    assert [m.id for m in meters.list(limit=3, ending_before=ids[4]).data] == ids[1:4]
    assert [m.id for m in meters.list(status="inactive").data] == [ids[3]]
    assert [m.id for m in meters.all(limit=5)] == ids
    assert [m.id for m in meters.all(status="active", limit=5)] == ids[:3] + ids[4:]
    assert [len(page.data) for page in meters.pages(limit=5)] == [5, 5, 2]


def test_expand_is_passed_on(clock):
    script = lambda asked: http(200, a_meter() if "mtr" in asked.path else a_list())  # noqa: E731
    with Scripted(script) as server, Meters.over(to(server, clock)) as meters:
        meters.list(expand=["data.x"])
        list(meters.all(expand=["data.x"]))
        meters.get("mtr_1", expand=["x"])
        meters.update("mtr_1", display_name="M", expand=["x"])
        meters.deactivate("mtr_1", expand=["x"])
        meters.reactivate("mtr_1", expand=["x"])
    asked = [asked.params["expand[]"] for asked in server.asked]
    assert asked == ["data.x", "data.x", "x", "x", "x", "x"]


def test_errors_of_the_api(meters):
    make(meters)
    with pytest.raises(InvalidRequestError, match="already exists") as caught:
        make(meters)
    assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")
    with pytest.raises(NotFoundError) as caught:
        meters.get("mtr_unknown")
    assert (caught.value.status, caught.value.code) == (404, "resource_missing")
    assert caught.value.request_id.startswith("req_")
    with pytest.raises(InvalidRequestError) as caught:
        make(meters, "other", default_aggregation={"formula": "max"})
    assert caught.value.param == "default_aggregation[formula]"


def test_a_long_id_is_cut_off_in_the_error(meters):
    with pytest.raises(ServiceError) as caught:
        meters.get("m/" + "x" * 300)
    assert caught.value.diagnostics[0].message == (f"'m/{'x' * 78}' cannot be the id of a meter")


@pytest.mark.parametrize(
    "bad",
    ["", "mtr/1", "..", ".", "../prices", "mtr_1?x", "mtr 1", "mtr_1\n", "mtr%2F1", "m" * 256],
)
@pytest.mark.parametrize("operation", ["get", "update", "deactivate", "reactivate"])
def test_an_id_cannot_change_the_path(bad, operation, meters, server):
    """Nothing is sent."""
    more = {"display_name": "x"} if operation == "update" else {}
    with pytest.raises(ServiceError) as caught:
        getattr(meters, operation)(bad, **more)
    assert caught.value.diagnostics[0].code == "S007"
    assert not len(server.log)
