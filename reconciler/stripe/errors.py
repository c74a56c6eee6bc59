"""The exceptions of the client.

StripeError (a ServiceError)
 ├─ ConnectionFailedError    no response: unreachable, cut off, too slow
 ├─ UnexpectedAnswerError    a response that is not documented
 ├─ InvalidRequestError      400, and every other 4xx that is final
 │   ├─ NotFoundError        404
 │   ├─ IdempotencyError     400: the key was used for something else
 │   └─ DuplicateEventError  400: the identifier of a meter event was used before
 ├─ AuthenticationError      401; an AuthError too, exit 6
 ├─ PermissionDeniedError    403; an AuthError too, exit 6
 ├─ AccountDeniedError       403: no access to the account; an AuthError too, exit 6
 ├─ ConflictError            409
 ├─ RateLimitError           429
 └─ ServerError              5xx
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from ..diagnostics.codes import service
from ..diagnostics.diagnostic import Diagnostic, Rule
from ..diagnostics.errors import AuthError, Exit, ServiceError
from ..model.request import Outcome, RequestRecord
from .usage.objects import UsageEvent


class StripeError(ServiceError):
    """A call to the API that did not succeed; `message` is Stripe's own where there is one.

    `type`, `code` and `param` are the API's; `status` is None where no response could be read;
    `request_id` (`req_…`) finds the request in Stripe's log; `attempts` counts the retries too.
    `unsent` are the events of a stream that Stripe may not have received.
    """

    rule: ClassVar[Rule] = service.BAD_REQUEST
    unsent: tuple[UsageEvent, ...] = ()

    def __init__(
        self,
        message: str,
        record: RequestRecord | None = None,
        rule: Rule | None = None,
        details: Mapping[str, str | None] | None = None,
        rate_limit: float | None = None,
    ) -> None:
        record = record or RequestRecord("request", result=Outcome.INDETERMINATE)
        details = details or {}
        self.message = message
        self.record = record
        self.rate_limit = rate_limit
        self.status, self.attempts = record.status, record.attempts
        self.request_id = record.request_id
        self.type, self.code, self.param = map(details.get, ("type", "code", "param"))
        trace = f" (request {record.request_id})" if record.request_id else ""
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
        """The diagnostic of this error."""
        return self.diagnostics[0]


class ConnectionFailedError(StripeError):
    """No response, or an incomplete one; a write may have had its effect."""

    rule = service.UNREACHABLE


class UnexpectedAnswerError(StripeError):
    """A response that is not documented: a gateway's page, a missing field, an endless list."""

    rule = service.UNEXPECTED_RESPONSE


class InvalidRequestError(StripeError):
    """A 4xx that a retry cannot change."""


class NotFoundError(InvalidRequestError):
    """The account has no such object (404)."""

    rule = service.NOT_FOUND


class IdempotencyError(InvalidRequestError):
    """The idempotency key was used with other parameters before (400)."""

    rule = service.IDEMPOTENCY


class DuplicateEventError(InvalidRequestError):
    """A meter event with this identifier was received before (400); it counts once."""

    rule = service.DUPLICATE_EVENT


class AuthenticationError(StripeError, AuthError):
    """The API key is unknown, expired or missing (401)."""

    rule = service.KEY_REJECTED
    exit_code = Exit.DENIED


class PermissionDeniedError(StripeError, AuthError):
    """The API key lacks a permission (403)."""

    rule = service.PERMISSION_MISSING
    exit_code = Exit.DENIED

    @property
    def permission(self) -> str | None:
        """The missing permission, if Stripe's message names it."""
        found = re.search(r"\b(rak_\w+)|\('(\w+)'\)", self.message)
        return next(filter(None, found.groups()), None) if found else None

    @property
    def permission_title(self) -> str:
        """What the Dashboard calls the missing permission, if Stripe's message says so."""
        found = re.search(r"\"([^\"]{1,100})\" \('\w+'\)", self.message)
        return found[1] if found else ""

    @property
    def account_id(self) -> str | None:
        """The account that Stripe's message names, if it names exactly one.

        Source: the 403 of a restricted key, "… for this endpoint on account 'acct_…'".
        """
        named = set(re.findall(r"\bacct_[A-Za-z0-9]+", self.message))
        return named.pop() if len(named) == 1 else None


class AccountDeniedError(StripeError, AuthError):
    """The API key has no access to the account that was asked for (403, `account_invalid`)."""

    rule = service.ACCOUNT_DENIED
    exit_code = Exit.DENIED


class ConflictError(StripeError):
    """Another request with the same key, or for the same object, is in progress (409)."""

    rule = service.CONFLICT


class RateLimitError(StripeError):
    """The account's rate limit, or a lock on the object, rejected the request (429)."""

    rule = service.RATE_LIMITED

    def _describe(self) -> str:
        if self.code == "lock_timeout":  # not the rate, but another request for the same object
            return f"{self.message}{self._after_attempts()}"
        return f"still rate-limited{self._after_attempts()}" if self.attempts > 1 else self.message

    def _advise(self) -> str:
        if self.code == "lock_timeout" or self.rate_limit is None:
            return ""
        return f"wait, or lower `rate_limit` of the account (now {self.rate_limit:g})"


class ServerError(StripeError):
    """An error of Stripe (5xx); a write may have had its effect."""

    rule = service.SERVER_FAILED

    def _describe(self) -> str:
        """Return the request and its attempts; a text without a code says nothing more."""
        call = f"HTTP {self.status} for {self.record.operation}"
        reason = f": {self.message}" if self.code else ""
        return f"Stripe returned {call}{self._after_attempts()}{reason}"


_BY_STATUS: Mapping[int, type[StripeError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}


def select_error(status: int, error_type: str | None, code: str | None) -> type[StripeError]:
    """Return the error class of a response; its status comes before its texts.

    Source: the error mapping of Stripe's own clients.
    """
    if status >= 500:
        return ServerError
    if status == 403 and code == "account_invalid":
        return AccountDeniedError
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if error_type == "idempotency_error":
        return IdempotencyError
    return RateLimitError if code == "rate_limit" else InvalidRequestError
