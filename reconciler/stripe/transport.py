"""One HTTP request done well: the key, the pace, the tries, the idempotency key, the limits."""

from __future__ import annotations

import copy
import logging
import platform
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self, TypedDict, Unpack

from .._version import __version__
from ..clock import Clock, Stopped, SystemClock, never
from ..diagnostics.codes import service
from ..diagnostics.errors import ServiceError, StoppedError
from .api_key import Key
from .codec import encode_form
from .errors import StripeError
from .exchange import Limits, Request, checked_base
from .rate_limit import RateLimiter
from .response import UNTRIED, Reply, interpret
from .retry import Budget, Tried, wait_before_retry

STRIPE = "https://api.stripe.com"
API_VERSION = "2026-09-30.endive"
"""The API version that every request pins; the shapes in `wire` are this version's."""

RATE_LIMIT = 20.0
"""Requests a second unless told otherwise: a live account shares its limit with its checkout."""

_FORM = "application/x-www-form-urlencoded"  # said of every POST, also of one without a body

_LOG = logging.getLogger(__name__)
_HEADER = re.compile(r"[!-~]{1,255}")


class Options(TypedDict, total=False):
    """How an account is reached; everything may be left out.

    `stripe_account` (a connected account) or `stripe_context` (with an organisation's key)
    is the account to act on, `rate_limit` requests a second (None: unlimited), `stopped` is
    asked before every request, `limits` bounds an answer in time and size.
    """

    api_base: str
    stripe_account: str | None
    stripe_context: str | None
    stripe_version: str
    rate_limit: float | None
    clock: Clock | None
    stopped: Stopped
    limits: Limits


class Transport:
    """Requests to one account. Safe to be shared by up to eight threads.

    Raises AuthError (S002) for a malformed key and ServiceError (S005, S006) for an
    address or a header that must not be used, before anything is sent.
    """

    def __init__(self, api_key: str, **options: Unpack[Options]) -> None:
        from .http import Connection

        self._key = Key(api_key)
        self._clock = options.get("clock") or SystemClock()
        self._stopped = options.get("stopped", never)
        base = checked_base(options.get("api_base", STRIPE))
        self._connection = Connection(base, self._key, options.get("limits", Limits()))
        self._rate_limit = options.get("rate_limit", RATE_LIMIT)
        self._pacer = RateLimiter(self._rate_limit, self._clock.monotonic())
        self._budget = Budget()
        self._headers = _headers(options)
        self._finishes = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    @property
    def key_livemode(self) -> bool | None:
        """The mode that the key's prefix names; None where it names none."""
        return self._key.livemode

    @property
    def pace(self) -> float | None:
        """Requests a second that the account is asked at present; None without a limit."""
        return self._pacer.rate

    def on_own_account(self) -> Transport:
        """The same connections, pace and budget, without acting on a connected account."""
        own = copy.copy(self)
        own._headers = {k: v for k, v in self._headers.items() if k != "Stripe-Account"}
        return own

    def ignoring_stop(self) -> Transport:
        """The same connections, pace and budget; no stop signal ends its requests or its waits."""
        undeterred = copy.copy(self)
        undeterred._stopped = never
        undeterred._clock = self._clock.ignoring_stop()
        return undeterred

    def finishing(self) -> Transport:
        """The same, but no stop signal ends the tries of a write that may have had an effect."""
        finishing = copy.copy(self)
        finishing._finishes = True
        return finishing

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Read something. `params` may nest; None leaves a parameter out. Raises StripeError."""
        return self._persist(Request("GET", path, encode_form(params or {}), self._headers))

    def post(
        self, path: str, params: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Reply:
        """Write something, under an idempotency key (a new one where none is given).

        Every try bears the same key. Raises StripeError; once something was sent, a stop
        signal ends the tries with the error of the last one instead of StoppedError.
        """
        key = _checked("Idempotency-Key", str(uuid.uuid4()) if key is None else key)
        headers = {**self._headers, "Idempotency-Key": key, "Content-Type": _FORM}
        return self._persist(Request("POST", path, encode_form(params or {}), headers))

    def _persist(self, outgoing: Request) -> Reply:
        """Try until it went well, another try cannot help, or the run is told to stop."""
        failure, run = None, self
        about = replace(
            UNTRIED, method=outgoing.method, path=outgoing.path, rate_limit=self._rate_limit
        )
        while True:
            claimed = run._await_turn(failure if outgoing.method == "POST" else None)
            came = self._connection.send(outgoing)
            tried, result = interpret(came, self._key.scrub, about)
            self._learn(tried, claimed)
            _LOG.info("%s %s: %s", outgoing.method, outgoing.path, result.about)
            if isinstance(result, Reply):
                return result
            failure, about = result, result.about
            wait = wait_before_retry(about.attempts, tried, self._clock.chance())
            if wait is None or not self._budget.spend(tried):
                raise failure
            if self._finishes and outgoing.method == "POST" and about.doubts:
                run = self.ignoring_stop()
            run._clock.sleep(wait)

    def _await_turn(self, failure: StripeError | None) -> float:
        """Wait for a request's moment, unless the run has been told to stop; when it was asked."""
        claimed = self._clock.monotonic()
        if not self._stopped() and (wait := self._pacer.reserve(claimed)):
            self._clock.sleep(wait)
        if self._stopped():
            raise failure or StoppedError(service.STOPPED("stopped before the next request"))
        return claimed

    def _learn(self, tried: Tried, claimed: float) -> None:
        """Let pace and budget know how a request fared."""
        if tried.limited:
            self._pacer.on_rejected(claimed, self._clock.monotonic())
        elif tried.status is not None and tried.status < 400:
            self._pacer.on_success()
            self._budget.earn()


def _headers(options: Options) -> dict[str, str]:
    """What every request says of itself, whatever it asks for."""
    named = {
        "Stripe-Version": options.get("stripe_version", API_VERSION),
        "Stripe-Account": options.get("stripe_account"),
        "Stripe-Context": options.get("stripe_context"),
    }
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"reconciler/{__version__} python/{platform.python_version()}",
        **{name: _checked(name, value) for name, value in named.items() if value is not None},
    }


def _checked(name: str, value: str) -> str:
    """A header's value, or ServiceError (S006) where it could break out of its line."""
    if _HEADER.fullmatch(value):
        return value
    raise ServiceError(service.HEADER_REFUSED(f"{name} may not be {value[:80]!a}"))
