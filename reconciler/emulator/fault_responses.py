"""Replace the answer to a request by what a fault makes of it."""

from __future__ import annotations

from .errors import RequestError
from .faults import Fault, Kind
from .messages import Request, Response
from .settings import Settings

GARBAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"
)


def apply_fault(
    fault: Fault, request: Request, response: Response, settings: Settings
) -> Response | None:
    """Return what the client receives instead of the response; None when it receives nothing.

    For a fault before the effect, the response has an empty body.
    """
    if fault.kind in (Kind.RESET, Kind.TIMEOUT):
        return None
    headers = dict(response.headers)
    if fault.should_retry:
        headers["Stripe-Should-Retry"] = fault.should_retry
    if fault.kind is Kind.GARBAGE:
        return Response(fault.status, GARBAGE, headers | {"Content-Type": "text/html"})
    if fault.kind is Kind.TRUNCATED:
        return Response(response.status, response.body[: len(response.body) // 2] or "{", headers)
    error = _build_error(fault, request, settings)
    return Response(error.status, error.body, headers | dict(error.headers))


def _build_error(fault: Fault, request: Request, settings: Settings) -> RequestError:
    if fault.kind is Kind.UNAVAILABLE:
        text = "Stripe is temporarily unavailable. Please try again later."
        return RequestError.internal(text, 503)
    if fault.kind is Kind.FAILURE:
        return RequestError.internal()
    if fault.code == "idempotency_key_in_use":
        return RequestError.key_in_use(request.key or "", settings.key_in_use_error)
    if fault.kind is Kind.RATE_LIMITED and fault.code != "lock_timeout":
        return RequestError.rate_limited(fault.reason)
    return RequestError.locked(int(fault.kind))
