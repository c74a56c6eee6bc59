"""A client of the emulator: `Account` calls its functions, `Connection` speaks HTTP."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from reconciler.emulator import Settings, open_state
from reconciler.emulator.handle_request import Ticket, begin, finish
from reconciler.emulator.messages import Request
from reconciler.emulator.state import Answer, State

USAGE, V2_USAGE = "/v1/billing/meter_events", "/v2/billing/meter_events"
STREAM, CORE_EVENTS = "/v2/billing/meter_event_stream", "/v2/core/events"
METERS, PRICES, EVENTS = "/v1/billing/meters", "/v1/prices", "/v1/events"
PRODUCT = {"products": [{"id": "prod_1", "name": "Calls"}]}
CUSTOMERS = [{"id": f"cus_{name}"} for name in (1, 2, "a", "b")]
START = 1_790_000_000.0
DAY = 24 * 3600
KEY = {"authorization": "Bearer sk_test_emulator"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def form(params: dict[str, Any], within: str = "") -> str:
    """Encode a nested form: `{"a": {"b": 1}, "c": ["x"]}` is `a[b]=1&c[]=x`."""
    pairs: list[str] = []
    for name, value in params.items():
        full = f"{within}[{name}]" if within else name
        if isinstance(value, dict):
            pairs.append(form(value, full))
        elif isinstance(value, list):
            pairs += [urlencode({f"{full}[]": each}) for each in value]
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            pairs.append(urlencode({full: text}))
    return "&".join(pairs)


def meter(event_name: str = "searches", **more: Any) -> dict[str, Any]:
    """The parameters of an ordinary meter."""
    return {
        "event_name": event_name,
        "display_name": f"The {event_name}",
        "default_aggregation": {"formula": "sum"},
    } | more


@dataclass(frozen=True, slots=True)
class Response:
    """What the client receives; without a status, the connection was reset."""

    status: int | None
    headers: Any = None
    body: str = ""
    delay: float = 0.0

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]

    @property
    def ids(self) -> list[str]:
        return [thing["id"] for thing in self.json["data"]]

    @property
    def replayed(self) -> bool:
        return "idempotent-replayed" in (self.headers or {})


class Client:
    headers: dict[str, str]

    def get(self, path: str = METERS, **params: Any) -> Response:
        return self.ask(Request("GET", path, form(params), self.headers))

    def post(self, path: str = METERS, key: str | None = None, **params: Any) -> Response:
        return self.ask(self.posting(path, key, **params))

    def posting(self, path: str = METERS, key: str | None = None, **params: Any) -> Request:
        headers = FORM | self.headers | ({"idempotency-key": key} if key is not None else {})
        return Request("POST", path, "", headers, form(params).encode())

    def ask_delete(self, path: str, **params: Any) -> Response:
        return self.ask(Request("DELETE", path, form(params), self.headers))

    def post_json(self, path: str, body: Any = None, key: str | None = None) -> Response:
        """Make a POST to API v2."""
        headers = self.headers | {"content-type": "application/json"}
        headers |= {"idempotency-key": key} if key is not None else {}
        return self.ask(Request("POST", path, "", headers, json.dumps(body or {}).encode()))

    def use(self, value: Any = 1, customer: str = "cus_1", **more: Any) -> Response:
        """Send a meter event of API v1."""
        payload = {"stripe_customer_id": customer, "value": value}
        return self.post(USAGE, **({"event_name": "searches", "payload": payload} | more))

    def sums(self, path: str, customer: str = "cus_1", **more: Any) -> list[Any]:
        """The sums of a customer on the day of START, newest first."""
        period = {"start_time": int(START) // DAY * DAY, "end_time": int(START) // DAY * DAY + DAY}
        found = self.get(f"{path}/event_summaries", **({"customer": customer} | period | more))
        return [each["aggregated_value"] for each in found.json["data"]]

    def reports(self, **filters: Any) -> list[tuple[str, str | None, dict[str, int]]]:
        """Type, meter and number of errors by code of each report, newest first."""
        events = self.get(CORE_EVENTS, **filters).json["data"]
        return [
            (
                event["type"].removeprefix("v1.billing.meter."),
                (event["related_object"] or {}).get("id"),
                {
                    each["code"]: each["error_count"]
                    for each in event["data"]["reason"]["error_types"]
                },
            )
            for event in events
            if event["data"]
        ]

    def create(self, event_name: str = "searches", **more: Any) -> str:
        """Create a meter and return its path."""
        return f"{METERS}/{self.post(**meter(event_name, **more)).json['id']}"

    def ask(self, request: Request) -> Response:
        raise NotImplementedError


@dataclass(slots=True)
class Account(Client):
    """An emulated account at a time that tests set by hand."""

    state: State
    now: float = START
    headers: dict[str, str] = field(default_factory=lambda: dict(KEY))

    def ask(self, request: Request) -> Response:
        begun = self.begin(request)
        return self.finish(begun) if isinstance(begun, Ticket) else _convert(begun)

    def begin(self, request: Request) -> Any:
        return begin(self.state, request, self.now)

    def finish(self, ticket: Any) -> Response:
        return _convert(finish(self.state, ticket, self.now))

    @property
    def meters(self) -> list[dict[str, Any]]:
        return list(self.state.ledger.meters.values())

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(self.state.ledger.events.values())


def _convert(answer: Answer) -> Response:
    if answer.response is None:
        return Response(None, delay=answer.delay)
    return Response(
        answer.response.status, answer.response.headers, answer.response.body, answer.delay
    )


def account(*faults: Any, seed: Any = None, chance: int = 0, **settings: Any) -> Account:
    """An account in memory with these faults and settings; `chance` seeds the faults."""
    values = Settings(chance_seed=chance, **settings)
    store = open_state(None, seed)
    return Account(State(store.ledger, values, faults, store.connected.values()))


class Connection(Client):
    """A connection to a server; close it."""

    def __init__(self, server: Any) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        self.headers = KEY | FORM

    def ask(self, request: Request) -> Response:
        target = request.path + (f"?{request.query}" if request.query else "")
        self.http.request(request.method, target, request.body, dict(request.headers))
        response = self.http.getresponse()
        return Response(response.status, response.headers, response.read().decode())

    def send(self, method: str, path: str = METERS, body: str = "", **headers: str) -> Response:
        return self.ask(Request(method, path, "", self.headers | headers, body.encode()))

    def close(self) -> None:
        self.http.close()


def raw(server: Any, *parts: bytes, shut: bool = True) -> bytes:
    """Send bytes, and return everything that is received until the connection ends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        for part in parts:
            connection.sendall(part)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while more := connection.recv(65536):
            received += more
    return received


def head(method: str = "POST", path: str = METERS, **headers: Any) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Authorization: Bearer sk_test_1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
