"""Send requests to one account: authenticated, paced, retried, with idempotency keys."""

from __future__ import annotations

import copy
import json
import logging
import platform
import re
import uuid
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Self, TypedDict, Unpack

from .._version import __version__
from ..clock import Clock, Stopped, SystemClock, never
from ..diagnostics.codes import service
from ..diagnostics.errors import ServiceError, StoppedError
from ..model.request import Outcome, RequestRecord
from .api_key import Key, Secret
from .codec import encode_form
from .errors import StripeError
from .http.connection import Connection, Limits, Request, check_base
from .rate_limit import RateLimiter
from .response import Reply, interpret
from .retry import Attempt, Budget, wait_before_retry

STRIPE = "https://api.stripe.com"
API_VERSION = "2026-09-30.endive"
"""The API version of every request, and of the shapes that `codec` reads."""

RATE_LIMIT = 20.0
"""Default requests a second: a live account shares its limit with its checkout."""

JSON = "application/json"
"""The `Content-Type` of every POST to API v2."""

FORM = "application/x-www-form-urlencoded"
"""The `Content-Type` of every POST to API v1, also of one without a body."""

_LOG = logging.getLogger(__name__)
_HEADER = re.compile(r"[!-~]{1,255}")


MayRetry = Callable[[RequestRecord], bool]
"""Returns, given the record of the attempts so far, whether the same request may be sent again."""


def always(_: RequestRecord) -> bool:
    """Return True: for requests that only depend on their answer."""
    return True


class Options(TypedDict, total=False):
    """How to connect to an account; all optional.

    `stripe_account` (a connected account) or `stripe_context` (with an organization key) is the
    account to act on; `rate_limit` is in requests a second (None: unlimited); no request is sent
    once `stopped` returns True; `limits` bounds a response, and a list, in time and size.
    `connection` and `platform_limiter` are shared with other accounts, and stay open.
    """

    api_base: str
    stripe_account: str | None
    stripe_context: str | None
    stripe_version: str
    rate_limit: float | None
    clock: Clock | None
    stopped: Stopped
    limits: Limits
    connection: Connection | None
    platform_limiter: RateLimiter | None


class Transport:
    """Requests to one account; several threads may share it.

    Raises AuthError (S002) for a malformed key and ServiceError (S005, S006) for an address or a
    header that is not allowed, before anything is sent.
    """

    def __init__(self, api_key: str, **options: Unpack[Options]) -> None:
        key = Key(api_key)
        self._key: Secret = key
        self.key_livemode = key.livemode
        """The mode in the prefix of the key; None if it has none."""
        self._clock = options.get("clock") or SystemClock()
        self._stopped = options.get("stopped", never)
        self.api_base = check_base(options.get("api_base", STRIPE))
        self.limits = options.get("limits", Limits())
        shared = options.get("connection")
        self._connection = shared or Connection(self.api_base, self._key, self.limits)
        self._owns_connection = shared is None
        self._rate_limit = options.get("rate_limit", RATE_LIMIT)
        self._rate_limiter = RateLimiter(self._rate_limit, self._clock.monotonic())
        platform = options.get("platform_limiter")
        self._limiters = (self._rate_limiter, *([platform] if platform else []))
        self._budget = Budget()
        self._headers = _build_headers(options)
        self._finishes = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless they are shared."""
        if self._owns_connection:
            self._connection.close()

    @property
    def rate_lesson(self) -> tuple[int, int] | None:
        """How many requests the account's rate limit rejected, and what it accepts a second.

        None if the configured `rate_limit` is not too high.
        """
        return self._rate_limiter.lesson

    @property
    def requests(self) -> int:
        """How many requests were sent so far, retries included."""
        return self._rate_limiter.reserved

    @staticmethod
    def prepare() -> None:
        """Import what sends now: in a thread, the import would slow the reading of the files."""
        import_module(".http.pool", __package__)

    def monotonic(self) -> float:
        """The seconds of the clock that paces the requests."""
        return self._clock.monotonic()

    def on_own_account(self) -> Transport:
        """Return the same transport for the account of the key itself, not a connected one."""
        own = copy.copy(self)
        own._headers = {k: v for k, v in self._headers.items() if k != "Stripe-Account"}
        return own

    def ignoring_stop(self) -> Transport:
        """Return the same transport, whose requests and waits no stop signal ends."""
        unstoppable = copy.copy(self)
        unstoppable._stopped = never
        unstoppable._clock = self._clock.ignoring_stop()
        return unstoppable

    def finishing(self) -> Transport:
        """Return the same transport; a stop does not end a write that may have had an effect."""
        finishing = copy.copy(self)
        finishing._finishes = True
        return finishing

    def with_token(self, token: str, api_base: str) -> Transport:
        """Return a transport to another host that a token authorizes instead of the key.

        It shares the rate limit and the budget of retries, and has connections of its own. The
        token is that of an account, so no header names one.
        """
        other = self.on_own_account()
        other._headers = {k: v for k, v in other._headers.items() if k != "Stripe-Context"}
        other.api_base = check_base(api_base)
        other._key = Secret(token)
        other._connection = Connection(other.api_base, other._key, self.limits)
        other._owns_connection = True
        return other

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Send a GET. `params` may nest; None leaves a parameter out. Raises StripeError."""
        return self._send_with_retries(
            Request("GET", path, encode_form(params or {}), self._headers)
        )

    def post(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
        may_retry: MayRetry = always,
    ) -> Reply:
        """Send a POST with an idempotency key, a new one if none is given.

        Every attempt has the same key, and `may_retry` is called before each one but the first.
        Raises StripeError; once something was sent, a stop signal ends the retries with the
        error of the last attempt instead of StoppedError.
        """
        headers = self._build_post_headers(key, FORM)
        request = Request("POST", path, encode_form(params or {}), headers)
        return self._send_with_retries(request, may_retry)

    def post_json(
        self,
        path: str,
        body: Mapping[str, Any],
        key: str | None = None,
        *,
        may_answer_empty: bool = False,
    ) -> Reply:
        """Send a POST to API v2, whose bodies are JSON, with an idempotency key as `post` does."""
        headers = self._build_post_headers(key, JSON)
        content = json.dumps(body).encode("ascii")
        request = Request("POST", path, (), headers, content, may_answer_empty)
        return self._send_with_retries(request)

    def _build_post_headers(self, key: str | None, content_type: str) -> dict[str, str]:
        key = _check_header("Idempotency-Key", str(uuid.uuid4()) if key is None else key)
        return {**self._headers, "Idempotency-Key": key, "Content-Type": content_type}

    def _send_with_retries(self, request: Request, may_retry: MayRetry = always) -> Reply:
        """Send until it succeeds, a retry cannot help or is not wanted, or the run is stopped."""
        failure, run = None, self
        record = RequestRecord(f"{request.method} {request.path}", None, 0, Outcome.INDETERMINATE)
        while True:
            claimed = run._wait_for_turn(failure if request.method == "POST" else None)
            response = self._connection.send(request)
            attempt, result = interpret(
                response,
                self._key.scrub,
                record,
                self._rate_limit,
                may_be_empty=request.may_answer_empty,
            )
            self._adapt_rate(attempt, claimed)
            record = result.record
            code = f", {result.code}" if isinstance(result, StripeError) and result.code else ""
            _LOG.info("%s%s", record, code)
            if isinstance(result, Reply):
                return result
            failure = result
            wait = wait_before_retry(record.attempts, attempt, self._clock.chance())
            if wait is None or not self._budget.spend(attempt):
                raise failure
            if self._finishes and request.method == "POST" and record.doubts:
                run = self.ignoring_stop()
            run._clock.sleep(wait)
            if not may_retry(record):
                raise failure

    def _wait_for_turn(self, failure: StripeError | None) -> float:
        """Wait for the rate limit, unless stopped; return when it ended."""
        now = self._clock.monotonic()
        wait = 0.0 if self._stopped() else max(each.reserve(now) for each in self._limiters)
        while wait and not self._stopped():
            claimed = now
            self._clock.sleep(wait)
            now = self._clock.monotonic()
            wait = max(each.renew(claimed, now) for each in self._limiters)
        if self._stopped():
            raise failure or StoppedError(service.STOPPED("stopped before the next request"))
        return now

    def _adapt_rate(self, attempt: Attempt, claimed: float) -> None:
        """Adapt the rate limiter and the retry budget to an attempt."""
        now = self._clock.monotonic()
        if attempt.limited:
            for limiter in self._limiters:
                limiter.on_rejected(claimed, now)
        elif attempt.status is not None and attempt.status < 400:
            for limiter in self._limiters:
                limiter.on_success(now)
            self._budget.earn()


def _build_headers(options: Options) -> dict[str, str]:
    """Return the headers of every request."""
    named = {
        "Stripe-Version": options.get("stripe_version", API_VERSION),
        "Stripe-Account": options.get("stripe_account"),
        "Stripe-Context": options.get("stripe_context"),
    }
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"reconciler/{__version__} python/{platform.python_version()}",
        **{name: _check_header(name, value) for name, value in named.items() if value is not None},
    }


def _check_header(name: str, value: str) -> str:
    """Return the value of a header; raise ServiceError (S006) if it could end its line."""
    if _HEADER.fullmatch(value):
        return value
    raise ServiceError(service.INVALID_HEADER(f"{name} may not be {value[:80]!a}"))


class Client:
    """Calls over a transport of its own; a context manager that closes it."""

    def __init__(self, api_key: str, **options: Unpack[Options]) -> None:
        self._transport = Transport(api_key, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
