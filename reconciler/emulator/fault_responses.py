"""Turn the answer to a request into what a fault makes of it."""

from __future__ import annotations

from .errors import RequestError
from .faults import Fault, Kind
from .idempotency import key_in_use
from .messages import Request, Response
from .rate_limit import rate_limited
from .settings import Settings

GARBAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"
)


def apply_fault(
    fault: Fault, request: Request, response: Response, settings: Settings
) -> Response | None:
    """Replace the response with what the client receives; None when it receives nothing.

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
    error = _error(fault, request, settings)
    return Response(error.status, error.body(), headers | dict(error.headers))


def silence(fault: Fault | None) -> float:
    """The seconds that a fault keeps the client waiting before it ends the connection."""
    return fault.wait if fault and fault.kind is Kind.TIMEOUT else 0.0


def failure() -> RequestError:
    """A 500 of the API itself."""
    return RequestError(
        500,
        "Sorry! There was an error while talking to Stripe. Please try again later.",
        kind="api_error",
    )


def _error(fault: Fault, request: Request, settings: Settings) -> RequestError:
    """The error of a fault that has a status of its own.

    A locked object is a 409, or as a 429 without a reason.
    """
    if fault.kind is Kind.UNAVAILABLE:
        text = "Stripe is temporarily unavailable. Please try again later."
        return RequestError(503, text, kind="api_error")
    if fault.kind is Kind.FAILURE:
        return failure()
    if fault.code == "idempotency_key_in_use":
        return key_in_use(request.key or "", settings.key_in_use_error)
    if fault.kind is Kind.RATE_LIMITED and fault.code != "lock_timeout":
        return rate_limited(fault.reason)
    return RequestError(
        int(fault.kind),
        "This object cannot be accessed right now because another API request or Stripe process "
        "is currently accessing it. Please try again later.",
        "lock_timeout",
    )
