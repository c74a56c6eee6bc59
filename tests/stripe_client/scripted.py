"""A loopback HTTP server with scripted responses, byte by byte if need be."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from reconciler.clock import Clock
from reconciler.model.meter import ExistingMeter
from reconciler.stripe.client import Meters
from reconciler.stripe.errors import StripeError
from reconciler.stripe.transport import Transport

KEY = "sk_test_51SecretSecretSecret"
PATH = "/v1/billing/meters"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived; `params` are those of its address or of its form."""

    number: int
    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    target: str


Sent = bytes | Iterable[bytes | None] | None
Script = Callable[[Asked], Sent]


class Scripted:
    """Send the bytes that `script` gives for each request; None closes the connection.

    `asked` has every request in the order of arrival.
    """

    def __init__(self, script: Script) -> None:
        self.asked: list[Asked] = []
        lock = threading.Lock()

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True
            timeout = 10

            def handle(inner) -> None:  # noqa: N805
                while request := _read(inner.rfile):
                    with lock:
                        asked = Asked(len(self.asked) + 1, *request)
                        self.asked.append(asked)
                    sent = script(asked)
                    if not _write(inner.wfile, [sent] if isinstance(sent, bytes | None) else sent):
                        return

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def encrypt(self) -> Scripted:
        """Speak TLS; to be called before it begins."""
        self.url = self.url.replace("http:", "https:")
        self._server.socket = behind_tls().wrap_socket(self._server.socket, server_side=True)
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return str(host), port

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


PEM = Path(__file__).parents[1] / "cli" / "loopback.pem"
"""A key and its certificate for 127.0.0.1 and api.example, which is its own authority."""


def behind_tls() -> ssl.SSLContext:
    """The TLS settings of a server whose certificate is PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context


class _Server(socketserver.ThreadingTCPServer):
    request_queue_size = 64
    daemon_threads = True
    block_on_close = False


def _read(stream: Any) -> tuple[str, str, dict[str, str], dict[str, str], str] | None:
    """One request from a connection; None at its end."""
    try:
        words = stream.readline().decode().split()
    except OSError:
        return None
    if len(words) != 3:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0))).decode()
    parts = urlsplit(words[1])
    params = dict(parse_qsl(parts.query or body, keep_blank_values=True))
    return words[0], parts.path, params, headers, words[1]


def to(server: Any, clock: Clock, key: str = KEY, **options: Any) -> Transport:
    """A transport to a scripted server or an emulator, without a rate limit."""
    return Transport(key, **{"api_base": server.url, "clock": clock, "rate_limit": None} | options)


@contextmanager
def scripted(clock: Clock, *answers: Sent, **options: Any) -> Iterator[tuple[Scripted, Transport]]:
    """A server with these responses in turn, and a transport to it."""
    with Scripted(in_turn(*answers)) as server, to(server, clock, **options) as transport:
        yield server, transport


def error_of(
    clock: Clock, *answers: Sent, method: str = "get", **options: Any
) -> tuple[StripeError, list[Asked]]:
    """The error of a call, and the requests that it sent."""
    with scripted(clock, *answers, **options) as (server, transport):
        with pytest.raises(StripeError) as caught:
            getattr(transport, method)(PATH)
        return caught.value, server.asked


def _write(stream: Any, pieces: Iterable[bytes | None]) -> bool:
    """Send the pieces; return False to close the connection."""
    try:
        for piece in pieces:
            if piece is None:
                return False
            stream.write(piece)
    except OSError:
        return False
    return True


def make(meters: Meters, name: str = "api_calls", **fields: Any) -> ExistingMeter:
    """Create a meter with defaults."""
    given = {"display_name": "API calls", "default_aggregation": {"formula": "sum"}} | fields
    return meters.create(event_name=name, **given)


def http(status: int, body: bytes | str | object, **headers: str) -> bytes:
    """A complete response; a body that is neither bytes nor text is sent as JSON."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"Request-Id": "req_1", "Content-Length": str(len(raw)), **named}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode() + raw


def slowly(response: bytes) -> Iterator[bytes]:
    """A response with pauses before it, in its head and in its body."""
    for piece in (response[:9], response[9:-2], response[-2:]):
        threading.Event().wait(0.02)
        yield piece


def refusal(status: int, message: str = "no", **fields: Any) -> bytes:
    """A response in the shape of Stripe's errors."""
    headers = fields.pop("headers", {})
    error = {"type": "invalid_request_error", "message": message, **fields}
    return http(status, {"error": error}, **headers)


def a_meter(meter_id: str = "mtr_1", **fields: Any) -> dict[str, Any]:
    """A `billing.meter` as the API shows it."""
    return {
        "id": meter_id,
        "object": "billing.meter",
        "created": 1_700_000_000,
        "updated": 1_700_000_000,
        "livemode": False,
        "display_name": "API calls",
        "event_name": "api_calls",
        "event_time_window": None,
        "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        "default_aggregation": {"formula": "sum"},
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "value_settings": {"event_payload_key": "value"},
        **fields,
    }


def in_turn(*answers: Sent) -> Script:
    """A script with these responses in turn; the last one is repeated."""
    return lambda asked: answers[min(asked.number, len(answers)) - 1]


def a_list(*data: Any, has_more: bool = False) -> dict[str, Any]:
    """A list object."""
    return {"object": "list", "data": list(data), "has_more": has_more, "url": "/v1/billing/meters"}
