"""What can go wrong between here and Stripe, as exceptions with everything the answer said.

StripeError (a ServiceError)
 ├─ ConnectionFailedError    no answer: unreachable, cut off, too slow
 ├─ UnexpectedAnswerError    an answer that the API never promised
 ├─ InvalidRequestError      400, and every other 4xx that is final
 │   ├─ NotFoundError        404
 │   └─ IdempotencyError     400: the key was used for something else
 ├─ AuthenticationError      401; an AuthError too, exit 6
 ├─ PermissionDeniedError    403; an AuthError too, exit 6
 ├─ ConflictError            409
 ├─ RateLimitError           429
 └─ ServerError              5xx
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..diagnostics.codes import service
from ..diagnostics.diagnostic import Diagnostic, Rule
from ..diagnostics.errors import AuthError, Exit, ServiceError


@dataclass(frozen=True, slots=True)
class ResponseInfo:
    """Where an error came from: the answer's status and names, and how many tries it took.

    `type`, `code` and `param` are the API's own; `replayed` says that a stored answer came,
    `doubts` how many of the tries may have had an unseen effect. `rate_limit` is the configured
    one, in requests a second.
    """

    status: int | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    request_id: str | None = None
    attempts: int = 1
    replayed: bool = False
    doubts: int = 0
    method: str | None = None
    path: str | None = None
    rate_limit: float | None = None

    def __str__(self) -> str:
        said = (str(self.status or "no answer"), self.code, self.request_id)
        again = f"try {self.attempts}" if self.attempts > 1 else None
        return ", ".join(filter(None, (*said, again, "a stored answer" if self.replayed else None)))


class StripeError(ServiceError):
    """Anything that kept a call from succeeding; `message` is Stripe's own where there is one."""

    rule: ClassVar[Rule] = service.BAD_REQUEST

    def __init__(
        self, message: str, about: ResponseInfo | None = None, rule: Rule | None = None
    ) -> None:
        self.message = message
        self.about = about or ResponseInfo()
        trace = f" (request {self.about.request_id})" if self.about.request_id else ""
        super().__init__((rule or self.rule)(self._describe() + trace, hint=self._advise()))

    def _describe(self) -> str:
        return self.message

    def _advise(self) -> str:
        """Return the hint, empty for the one of the rule."""
        return ""

    def _after_attempts(self) -> str:
        return f" after {self.attempts} attempts" if self.attempts > 1 else ""

    @property
    def diagnostic(self) -> Diagnostic:
        """The one problem that this error carries."""
        return self.diagnostics[0]

    @property
    def status(self) -> int | None:
        """The HTTP status; None where no answer could be read."""
        return self.about.status

    @property
    def type(self) -> str | None:
        """The API's type of error, such as `invalid_request_error`."""
        return self.about.type

    @property
    def code(self) -> str | None:
        """The API's code, such as `resource_missing`; many errors have none."""
        return self.about.code

    @property
    def param(self) -> str | None:
        """The parameter that the API complains about."""
        return self.about.param

    @property
    def request_id(self) -> str | None:
        """The id under which Stripe logged the request (`req_…`)."""
        return self.about.request_id

    @property
    def attempts(self) -> int:
        """How many tries it took to come to this."""
        return self.about.attempts


class ConnectionFailedError(StripeError):
    """No answer came, or it was cut off; a request that writes may have had its effect."""

    rule = service.UNREACHABLE


class UnexpectedAnswerError(StripeError):
    """An answer that the API never promised: a gateway's page, a missing field, an endless list."""

    rule = service.UNPROMISED


class InvalidRequestError(StripeError):
    """A 4xx that another try cannot change."""


class NotFoundError(InvalidRequestError):
    """The account knows no such object (404)."""

    rule = service.NOT_FOUND


class IdempotencyError(InvalidRequestError):
    """The idempotency key was first used with other parameters (400)."""

    rule = service.IDEMPOTENCY


class AuthenticationError(StripeError, AuthError):
    """The key is unknown, expired or missing (401)."""

    rule = service.KEY_REFUSED
    exit_code = Exit.DENIED


class PermissionDeniedError(StripeError, AuthError):
    """The key is known, and may not do this (403); `permission` names what it lacks."""

    rule = service.PERMISSION_MISSING
    exit_code = Exit.DENIED

    @property
    def permission(self) -> str | None:
        """The missing permission, where Stripe's text names it."""
        found = re.search(r"'(rak_\w+)'|\('(\w+)'\)", self.message)
        return next(filter(None, found.groups()), None) if found else None


class ConflictError(StripeError):
    """Another request with the same key, or on the same object, is under way (409)."""

    rule = service.CONFLICT


class RateLimitError(StripeError):
    """The account's rate limit, or a lock on the object, refused the request (429)."""

    rule = service.RATE_LIMITED

    def _describe(self) -> str:
        if self.code == "lock_timeout":  # not the rate, but another request for the same object
            return f"{self.message}{self._after_attempts()}"
        return f"still rate-limited{self._after_attempts()}" if self.attempts > 1 else self.message

    def _advise(self) -> str:
        limit = self.about.rate_limit
        if self.code == "lock_timeout" or limit is None:
            return ""
        return f"wait, or lower `rate_limit` of the account (now {limit:g})"


class ServerError(StripeError):
    """Stripe failed to answer (5xx); a request that writes may have had its effect."""

    rule = service.SERVER_FAILED

    def _describe(self) -> str:
        """Return what was asked for and how often; Stripe's own text only says that it failed."""
        asked = f" for {self.about.method} {self.about.path}" if self.about.path else ""
        return f"Stripe returned HTTP {self.status}{asked}{self._after_attempts()}"


_BY_STATUS: Mapping[int, type[StripeError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}


def kind_of(status: int, error_type: str | None, code: str | None) -> type[StripeError]:
    """Which of the errors above an answer with this status means.

    Source: the error mapping of Stripe's own clients; the status comes before the texts.
    """
    if status >= 500:
        return ServerError
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if error_type == "idempotency_error":
        return IdempotencyError
    return RateLimitError if code == "rate_limit" else InvalidRequestError
