"""One request against one account, without files, clock or randomness.

`begin` checks a request, `finish` executes it; in between, its idempotency key is in use.
Call both under the lock of the state, and wait outside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .auth import authenticate, check_account, check_permission, check_version
from .database import Reply
from .errors import RequestError
from .fault_responses import apply_fault, failure, silence
from .faults import Fault, Kind
from .forms import parse_parameters, to_form
from .idempotency import fingerprint, recall
from .messages import Answer, Json, Phase, Request, Response
from .params import checked
from .rate_limit import rate_limited
from .routes import Endpoint, find
from .settings import API_VERSION
from .state import Arrival, Call, State

_BOTH = (Phase.BEFORE, Phase.AFTER)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that will be executed, `delay` seconds from now."""

    arrival: Arrival
    endpoint: Endpoint
    object_id: str
    params: dict[str, Any]
    meaning: str
    delay: float

    @property
    def number(self) -> int:
        """The request's number, as its answer will have it."""
        return self.arrival.number


def begin(state: State, request: Request, now: float) -> Ticket | Answer:
    """Admit a request, or answer it at once: refused, replayed, or dropped."""
    arrival = state.arrive(request)
    fault = arrival.breaks(Phase.BEFORE)
    if fault and fault.kind is not Kind.FAILURE:
        return _early(state, arrival, _response(arrival, 200, ""))
    try:
        admitted = _admit(state, arrival, now)
    except RequestError as error:
        return _early(state, arrival, _response(arrival, error.status, error.body(), error.headers))
    if isinstance(admitted, Reply):
        replayed = {"idempotent-replayed": "true"}
        return _early(state, arrival, _response(arrival, admitted.status, admitted.body, replayed))
    if request.key:
        state.in_use.add(request.key)
    return admitted


def finish(state: State, ticket: Ticket, now: float) -> Answer:
    """Execute an admitted request, store its answer under its key, and answer it."""
    arrival, request = ticket.arrival, ticket.arrival.request
    call = Call(state, now, ticket.object_id, ticket.params, arrival.request_id, request.key)
    before, after = arrival.breaks(Phase.BEFORE), arrival.breaks(Phase.AFTER)
    try:
        status, body = _failed() if before else _execute(ticket.endpoint, call)
        if after and after.kind is Kind.FAILURE:
            status, body = _failed()
        if request.key:
            state.ledger.forget(now)
            reply = Reply(request.key, ticket.meaning, status, body, now)
            call.change["replies"].append(asdict(reply))
        if call.change:
            state.commit(call.change, now)
    finally:
        state.in_use.discard(request.key or "")
    response = _response(arrival, status, body)
    return _answer(state, arrival, response, before or after, arrival.delay(Phase.AFTER))


def edit(state: State, path: str, params: Mapping[str, Any], now: float) -> Json:
    """Make a POST as the dashboard does: no key, no faults, no limits, no request id in events.

    Numbers and booleans in `params` are written as a form has them. Raises RequestError
    when the API would refuse it.
    """
    endpoint, object_id = find("POST", path)
    call = Call(state, now, object_id, checked(endpoint.shape, to_form(params)))
    answer = endpoint.run(call)
    if call.change:
        state.commit(call.change, now)
    return answer


def _admit(state: State, arrival: Arrival, now: float) -> Ticket | Reply:
    """Make every check before the execution, in Stripe's order; raises RequestError."""
    request, settings, account = arrival.request, state.settings, state.ledger.account
    key = authenticate(request, account, settings)
    check_version(request)
    endpoint, object_id = find(request.method, request.path)
    if not state.limiter.allows("", settings.rate_limit, now):
        raise rate_limited("global-rate")
    name = f"{endpoint.method} {endpoint.path}"
    if not state.limiter.allows(name, settings.endpoint_rate_limit, now):
        raise rate_limited("endpoint-rate")
    check_account(request, key, account)
    check_permission(key, endpoint.permission, account)
    tree = parse_parameters(request)
    meant = fingerprint(request, tree)
    stored = recall(state, request.key, meant, now) if request.key else None
    if stored:
        return stored
    delay = settings.latency + arrival.delay(Phase.BEFORE)
    return Ticket(arrival, endpoint, object_id, checked(endpoint.shape, tree), meant, delay)


def _execute(endpoint: Endpoint, call: Call) -> tuple[int, str]:
    """Execute a call; endpoints refuse before they change anything."""
    try:
        return 200, json.dumps(endpoint.run(call))
    except RequestError as error:
        return error.status, error.body()


def _failed() -> tuple[int, str]:
    error = failure()
    return error.status, error.body()


def _early(state: State, arrival: Arrival, response: Response) -> Answer:
    """Answer a request that is not executed; faults of either phase apply."""
    delay = state.settings.latency + arrival.delay(*_BOTH)
    return _answer(state, arrival, response, arrival.breaks(*_BOTH), delay)


def _answer(
    state: State, arrival: Arrival, response: Response, fault: Fault | None, delay: float
) -> Answer:
    """Answer with a response, or with what a fault makes of it."""
    kept = apply_fault(fault, arrival.request, response, state.settings) if fault else response
    return Answer(
        arrival.number,
        arrival.request_id,
        kept,
        delay + silence(fault),
    )


def _response(
    arrival: Arrival, status: int, body: str, more: Mapping[str, str] | None = None
) -> Response:
    """Create a response with the headers that every answer of the API has."""
    request = arrival.request
    headers = {"Content-Type": "application/json", "Request-Id": arrival.request_id}
    headers["Stripe-Version"] = request.headers.get("stripe-version") or API_VERSION
    if request.key:
        headers["Idempotency-Key"] = request.key
    return Response(status, body, headers | dict(more or {}))
