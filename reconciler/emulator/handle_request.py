"""Handle one request for one account, without files, clock or randomness.

`begin` checks a request, `finish` executes it; in between, its idempotency key is in use.
Call both while holding the lock of the state, and wait outside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from .errors import RequestError, StateError
from .indented import dump_indented
from .messages import Json, Phase, Request, Response
from .requests.auth import check_account, check_key, check_permission, check_version
from .requests.faults import Fault, Kind, apply_fault
from .requests.forms import check_content_type, encode_form, parse_parameters
from .requests.idempotency import find_reply, hash_request, scope_key
from .requests.params import parse_params
from .routes import Endpoint, find_endpoint
from .settings import API_VERSION
from .state import Answer, Arrival, Call, State
from .storage.database import KEPT, KEPT_BY_V2, Ledger, Reply
from .subscriptions.cycle import make_due_changes
from .usage import v2_meter_events
from .usage.sessions import check_session

_BOTH = (Phase.BEFORE, Phase.AFTER)


class Ticket(Struct, frozen=True):
    """An accepted request, to be executed in `delay` seconds.

    `key` identifies its idempotency key in the account, `meaning` what the key is used for.
    """

    arrival: Arrival
    endpoint: Endpoint
    object_id: str
    params: dict[str, Any]
    ledger: Ledger
    key: str
    meaning: str
    delay: float


def begin(state: State, request: Request, now: float) -> Ticket | Answer:
    """Accept a request, or answer it at once: refused, replayed, or broken by a fault.

    An exception inside the emulator is a 500 as well, here as in `finish`.
    """
    arrival = state.register(request)
    try:
        return _begin(state, arrival, now)
    except Exception as error:  # one request must not end the others
        return _answer_failure(arrival, error)


def finish(state: State, ticket: Ticket, now: float) -> Answer:
    """Execute an accepted request and answer it; a duplicated one gets its second answer."""
    try:
        return _finish(state, ticket, now)
    except Exception as error:
        return _answer_failure(ticket.arrival, error)
    finally:
        state.running[ticket.endpoint.name] -= 1
        state.in_use.discard((ticket.ledger.account.id, ticket.key))


def _begin(state: State, arrival: Arrival, now: float) -> Ticket | Answer:
    request = arrival.request
    fault = arrival.find_fault(Phase.BEFORE)
    if fault and fault.kind is not Kind.FAILURE:
        return _answer_early(state, arrival, 200, "")
    try:
        accepted = _accept(state, arrival, now)
    except RequestError as error:
        body = _render(state, error, arrival, now)
        return _answer_early(state, arrival, error.status, body, error.headers)
    if isinstance(accepted, Reply):
        first = _describe_execution(state, request, accepted.request_id, accepted.status)
        replayed = {"idempotent-replayed": "true", **first}
        return _answer_early(state, arrival, accepted.status, accepted.body, replayed)
    state.running[accepted.endpoint.name] += 1
    if request.key:
        state.in_use.add((accepted.ledger.account.id, accepted.key))
    return accepted


def _finish(state: State, ticket: Ticket, now: float) -> Answer:
    answer = _finish_once(state, ticket, now)
    if not ticket.arrival.is_duplicated:
        return answer
    if not ticket.arrival.request.key:
        return _finish_once(state, ticket, now)
    response = answer.response
    if response is None or not _is_kept(ticket.arrival.request, response.status):
        return answer
    stored = {**response.headers, "idempotent-replayed": "true"}
    return replace(answer, response=replace(response, headers=stored))


def _finish_once(state: State, ticket: Ticket, now: float) -> Answer:
    """Execute a request, and store its answer under its key."""
    arrival, request, ledger = ticket.arrival, ticket.arrival.request, ticket.ledger
    call = Call(
        state, ledger, now, ticket.object_id, ticket.params, arrival.request_id, request.key
    )
    before, after = arrival.find_fault(Phase.BEFORE), arrival.find_fault(Phase.AFTER)
    try:
        make_due_changes(state, ledger, now)
        status, body = (500, "") if before else _execute(ticket, call)
        if before or (after and after.kind is Kind.FAILURE):
            status, body = 500, _render(state, RequestError.internal(), arrival, now)
        if ticket.key and _is_kept(request, status):
            ledger.drop_expired_replies(now)
            call.change["replies"].append(to_builtins(_build_reply(ticket, status, body, now)))
        if call.change:
            state.store(ledger, call.change, now)
    except StateError as error:
        failure = RequestError.internal(f"Nothing was changed: {error}", code="state_not_stored")
        status, body = 500, _render(state, failure, arrival, now)
    executed = _describe_execution(state, request, arrival.request_id, status)
    response = _build_response(arrival, status, body, executed)
    delay = arrival.sum_latency(Phase.AFTER)
    return _apply_fault(state, arrival, response, before or after, delay)


def edit(
    state: State, path: str, params: Mapping[str, Any], now: float, account: str | None = None
) -> Json:
    """Make a POST as the dashboard does: no key, no faults, no limits, no request id in events.

    Numbers and booleans in `params` are encoded as in a form. Raises RequestError when the API
    would refuse it.
    """
    endpoint, object_id = find_endpoint("POST", path)
    ledger = state.ledgers[account] if account else state.ledger
    call = Call(state, ledger, now, object_id, parse_params(endpoint.shape, encode_form(params)))
    make_due_changes(state, ledger, now)
    answer = endpoint.run(call)
    if call.change:
        state.store(ledger, call.change, now)
    return answer


def _accept(state: State, arrival: Arrival, now: float) -> Ticket | Reply:
    """Make every check before the execution, in Stripe's order; raises RequestError."""
    request, settings, account = arrival.request, state.settings, state.ledger.account
    if request.path == v2_meter_events.STREAM_URL:
        key = check_session(request, state.ledgers.values(), now)
    else:
        key = check_key(request, account, settings)
    check_version(request, settings)
    endpoint, object_id = find_endpoint(request.method, request.path)
    state.limit_rate("", settings.rate_limit, now, "global-rate")
    state.limit_rate(endpoint.name, settings.endpoint_rate_limit, now, "endpoint-rate")
    state.limit_parallel(endpoint.name)
    ledger = state.ledgers[check_account(request, key, account, state.ledgers)]
    check_permission(key, endpoint.find_permission(settings), ledger.account, settings)
    check_content_type(request, settings.content_type)
    tree = parse_parameters(request)
    scoped = scope_key(request, key, settings)
    meaning = hash_request(request, tree) if scoped else ""
    stored = find_reply(state, ledger, request, scoped, meaning, now) if scoped else None
    if stored:
        return stored
    params = parse_params(endpoint.shape, tree)
    delay = settings.latency + arrival.sum_latency(Phase.BEFORE)
    return Ticket(arrival, endpoint, object_id, params, ledger, scoped, meaning, delay)


def _execute(ticket: Ticket, call: Call) -> tuple[int, str]:
    """Execute a call; endpoints make every check before they change anything."""
    try:
        return 200, dump_indented(ticket.endpoint.run(call))
    except RequestError as error:
        return error.status, _render(call.state, error, ticket.arrival, call.now)


def _render(state: State, error: RequestError, arrival: Arrival, now: float) -> str:
    """Return the body of an error; where the key is known, it names the log of the request."""
    if arrival.request.is_v2 or error.status in (401, 501):
        return error.render(v2=arrival.request.is_v2)
    mode = "" if state.ledger.account.livemode else "test/"
    log = f"https://dashboard.stripe.com/{mode}logs/{arrival.request_id}?t={int(now)}"
    return error.render(v2=False, log_url=log)


def _build_reply(ticket: Ticket, status: int, body: str, now: float) -> Reply:
    path, request_id = ticket.arrival.request.path, ticket.arrival.request_id
    expires = now + (KEPT_BY_V2 if ticket.arrival.request.is_v2 else KEPT)
    return Reply(ticket.key, path, ticket.meaning, request_id, status, body, now, expires)


def _describe_execution(
    state: State, request: Request, request_id: str, status: int
) -> dict[str, str]:
    """Return the headers of an answer that is kept under an idempotency key.

    A 500 is among those that clients may send again, to get the stored answer.
    """
    if not request.key or request.is_v2:
        return {}
    advised = state.settings.should_retry == "stored" and status < 500
    advice = {"Stripe-Should-Retry": "false"} if advised else {}
    return {"Original-Request": request_id, **advice}


def _is_kept(request: Request, status: int) -> bool:
    """Return whether an answer is stored under the key: API v2 repeats work that has failed."""
    return status < 400 or not request.is_v2


def _answer_early(
    state: State, arrival: Arrival, status: int, body: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """Answer a request that is not executed; faults of either phase apply."""
    response = _build_response(arrival, status, body, headers)
    delay = state.settings.latency + arrival.sum_latency(*_BOTH)
    return _apply_fault(state, arrival, response, arrival.find_fault(*_BOTH), delay)


def _answer_failure(arrival: Arrival, error: Exception) -> Answer:
    failure = RequestError.failed(f"{type(error).__name__}: {error}")
    body = failure.render(v2=arrival.request.is_v2)
    response = _build_response(arrival, failure.status, body, failure.headers)
    return Answer(arrival, response, 0.0, error)


def _apply_fault(
    state: State, arrival: Arrival, response: Response, fault: Fault | None, delay: float
) -> Answer:
    if fault is None:
        return Answer(arrival, response, delay)
    received = apply_fault(fault, arrival.request, response, state.settings)
    return Answer(arrival, received, delay + fault.silence)


def _build_response(
    arrival: Arrival, status: int, body: str, more: Mapping[str, str] | None = None
) -> Response:
    """Build a response with the headers that every answer of the API has."""
    request = arrival.request
    headers = {"Content-Type": "application/json", "Request-Id": arrival.request_id}
    headers["Stripe-Version"] = request.headers.get("stripe-version") or API_VERSION
    if request.key:
        headers["Idempotency-Key"] = request.key
    return Response(status, body, headers | dict(more or {}))
