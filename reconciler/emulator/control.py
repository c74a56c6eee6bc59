"""The control path: read and change a running emulator over HTTP, beside the API.

Every call takes and returns JSON. A body needs `Content-Type: application/json`, which a page in a
browser cannot send to another origin without asking first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from .errors import EmulatorError, RequestError, StateError
from .messages import Json, Request, Response
from .request_log import Level, LogLine
from .requests.auth import parse_key
from .routes import CONTROL
from .server import Server
from .settings import format_settings, parse_duration, parse_switches

PATCHED = ("meters", "products", "prices", "customers", "subscriptions", "alerts", "events")
"""The kinds of objects that can be changed past every check of the API."""


class ControlledServer(Server):
    """A server that can be controlled under `/_emulator`; those requests are not emulated."""

    def exchange(self, request: Request) -> Response | None:
        """Answer a request to the control path, or to the API."""
        if request.path != CONTROL and not request.path.startswith(f"{CONTROL}/"):
            return super().exchange(request)
        try:
            status, answer = 200, _control(self, request)
        except (_RefusedError, EmulatorError, RequestError) as error:
            status, answer = _find_status(error), {"error": {"message": str(error)}}
        self.on_log(LogLine(Level.REQUEST, f"{request.method} {request.path} {status}"))
        body = json.dumps(answer, indent=2) + "\n"
        return Response(status, body, {"Content-Type": "application/json"})


def _find_status(error: Exception) -> int:
    if isinstance(error, StateError):
        return 500
    return error.status if isinstance(error, _RefusedError) else 400


class _RefusedError(Exception):
    """A request to the control path that it does not understand."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Part(Struct, frozen=True):
    """What can be controlled: a function for each method, and the fields of its body."""

    methods: Mapping[str, Callable[[Server, Json], Json]]
    fields: tuple[str, ...] | None = ()


def _control(server: Server, request: Request) -> Json:
    name = request.path.removeprefix(CONTROL).strip("/")
    if name not in PARTS:
        known = ", ".join(sorted(f"{CONTROL}/{each}".rstrip("/") for each in PARTS))
        raise _RefusedError(f"there is no {request.path}; there are {known}", 404)
    part = PARTS[name]
    if request.method not in part.methods:
        known = ", ".join(part.methods)
        raise _RefusedError(f"{CONTROL}/{name} has no {request.method}, only {known}", 405)
    given = _parse_body(request) if request.method == "POST" else {}
    unknown = [each for each in given if part.fields is not None and each not in part.fields]
    if unknown:
        known = ", ".join(part.fields or ()) or "none"
        raise _RefusedError(f"{CONTROL}/{name}: unknown field {unknown[0]!r}; fields: {known}")
    return part.methods[request.method](server, given)


def _parse_body(request: Request) -> Json:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if request.body and kind != "application/json":
        raise _RefusedError("send JSON, with Content-Type: application/json", 415)
    try:
        given = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise _RefusedError("the body is not a JSON object")
    return given


def _get(given: Json, name: str, kind: type | tuple[type, ...], what: str, default: Any) -> Any:
    """Return a field of a body, of the type that it must have."""
    value = given.get(name, default)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _RefusedError(f"{name} must be {what}")
    return value


def _get_texts(given: Json, name: str) -> list[str]:
    values: list[str] = _get(given, name, list, "an array of strings", [])
    if not all(isinstance(value, str) for value in values):
        raise _RefusedError(f"{name} must be an array of strings")
    return values


def _show(server: Server, _: Json) -> Json:
    """Return where the emulator is, and how it is set."""
    return {
        "url": server.url,
        "accounts": list(server.state.ledgers),
        "requests": server.state.number,
        **_show_clock(server, {}),
        **_show_faults(server, {}),
        **_show_switches(server, {}),
    }


def _show_faults(server: Server, _: Json) -> Json:
    with server.lock:
        armed = [
            {"fault": str(each.fault), "matched": each.matched, "applied": each.applied}
            for each in server.state.armed
        ]
    return {"faults": armed}


def _add_faults(server: Server, given: Json) -> Json:
    server.arm(*_get_texts(given, "add"))
    return _show_faults(server, {})


def _remove_faults(server: Server, _: Json) -> Json:
    server.disarm()
    return _show_faults(server, {})


def _show_switches(server: Server, _: Json) -> Json:
    return {"switches": format_settings(server.state.settings)}


def _set_switches(server: Server, given: Json) -> Json:
    """Set switches; null restores the default of one."""
    if not all(isinstance(value, str | int | float | None) for value in given.values()):
        raise _RefusedError("the value of a switch must be a string or a number")
    words = {name: None if value is None else str(value) for name, value in given.items()}
    chosen = parse_switches(words)
    with server.lock:
        server.state.settings = replace(server.state.settings, **chosen)
    return _show_switches(server, {})


def _set_keys(server: Server, given: Json) -> Json:
    """Replace the accepted and the expired keys; without accepted ones, any other is accepted."""
    keys = [parse_key(word) for word in _get_texts(given, "accepted")]
    keys += [replace(parse_key(word), expired=True) for word in _get_texts(given, "expired")]
    with server.lock:
        server.state.settings = replace(server.state.settings, keys=tuple(keys))
    return {"keys": len(keys)}


def _show_clock(server: Server, _: Json) -> Json:
    return {"now": server.now(), "ahead": server.state.ledger.clock_offset}


def _move_clock(server: Server, given: Json) -> Json:
    by = _get(given, "advance", (str, int, float), "a duration such as '24h', or seconds", 0)
    server.advance(parse_duration(by) if isinstance(by, str) else by)
    return _show_clock(server, {})


def _show_state(server: Server, _: Json) -> Json:
    with server.lock:
        exported = [
            {"account": to_builtins(ledger.account), **ledger.export()}
            for ledger in server.state.ledgers.values()
        ]
    return {"accounts": exported}


def _change_state(server: Server, given: Json) -> Json:
    """Set fields of objects past every check and without events, as no call of the API can."""
    account = _get(given, "account", str, "the id of an account", server.state.ledger.account.id)
    changes = {name: given[name] for name in given if name != "account"}
    changed: dict[str, list[Json]] = {}
    with server.lock:
        if account not in server.state.ledgers:
            raise _RefusedError(f"there is no account {account!r}")
        ledger = server.state.ledgers[account]
        for name in changes:
            held: dict[str, Json] = getattr(ledger, name)
            for each in _get(changes, name, list, "an array of objects with an id", []):
                object_id = each.get("id") if isinstance(each, dict) else None
                if not isinstance(object_id, str) or object_id not in held:
                    raise _RefusedError(f"{name}: there is no object with the id {object_id!r}")
                changed.setdefault(name, []).append(held[object_id] | each)
        server.state.store(ledger, changed, server.now())
    return changed


def _reset_state(server: Server, _: Json) -> Json:
    server.reset()
    return _show_state(server, {})


def _edit(server: Server, given: Json) -> Json:
    """Make a POST as the Dashboard does: without a key, a limit, a fault or a request id."""
    path = _get(given, "path", str, "the path of a POST, such as '/v1/billing/meters'", None)
    params = _get(given, "params", dict, "an object", {})
    account = _get(given, "account", (str, type(None)), "the id of a connected account", None)
    if account is not None and account not in server.state.ledgers:
        raise _RefusedError(f"there is no account {account!r}")
    return server.edit(path, params, account)


def _list_requests(server: Server, _: Json) -> Json:
    return {"requests": [entry.as_json() for entry in server.log]}


def _clear_requests(server: Server, _: Json) -> Json:
    server.log.clear()
    return _list_requests(server, {})


PARTS: dict[str, Part] = {
    "": Part({"GET": _show}),
    "faults": Part({"GET": _show_faults, "POST": _add_faults, "DELETE": _remove_faults}, ("add",)),
    "switches": Part({"GET": _show_switches, "POST": _set_switches}, None),
    "keys": Part({"POST": _set_keys}, ("accepted", "expired")),
    "clock": Part({"GET": _show_clock, "POST": _move_clock}, ("advance",)),
    "state": Part(
        {"GET": _show_state, "POST": _change_state, "DELETE": _reset_state},
        ("account", *PATCHED),
    ),
    "edits": Part({"POST": _edit}, ("path", "params", "account")),
    "requests": Part({"GET": _list_requests, "DELETE": _clear_requests}),
}
