"""The calls in the README of `sideko_stripe`, as it sends them: it is in no package registry.

It is generated from Stripe's specification, on httpx: a call without parameters has neither a body
nor a Content-Type.
"""

import httpx
import pytest

from reconciler.emulator import Server, Settings, open_state

METER = {"default_aggregation[formula]": "count", "display_name": "string", "event_name": "string"}


@pytest.fixture(params=["body", "required"])
def client(request):
    """A client of an emulator with this value of `content_type`."""
    settings = Settings(content_type=request.param)
    headers = {"Authorization": "Bearer sk_test_emulator"}
    with (
        open_state() as store,
        Server(store, settings) as server,
        httpx.Client(base_url=server.url, headers=headers, trust_env=False) as client,
    ):
        client.empty_posts = 200 if request.param == "body" else 400
        yield client


def test_the_calls_of_meters(client):
    made = client.post("/v1/billing/meters", data=METER)
    assert (made.status_code, made.json()["event_name"]) == (200, "string")
    path = f"/v1/billing/meters/{made.json()['id']}"
    assert client.get(path).json() == made.json()
    assert client.get("/v1/billing/meters").json()["data"] == [made.json()]
    for call in ("", "/deactivate", "/reactivate"):
        assert client.post(f"{path}{call}").status_code == client.empty_posts, call


def test_an_event_with_an_empty_payload_is_refused(client):
    """The form of an empty object has no field."""
    refused = client.post("/v1/billing/meter_events", data={"event_name": "string"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "payload")
