"""Connect to an account: to Stripe, or to an emulator in this process."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Unpack

from ..clock import Clock, Stopped, SystemClock, never
from ..diagnostics.codes import environment, service
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import AuthError, RefusedError, ServiceError
from ..history.ci import runs_in_ci
from ..model.meter import Unreadable
from ..model.project import Account
from ..planning.guards import report_wrong_mode
from ..stripe.api_key import find_flaw
from ..stripe.billing.alerts import ALERTS, Alerts
from ..stripe.billing.periods import Periods
from ..stripe.client import Events, Prices, describe_unreadable
from ..stripe.codec import parse_id
from ..stripe.core_events import CORE_EVENTS, UsageReports
from ..stripe.errors import AccountDeniedError, InvalidRequestError, PermissionDeniedError
from ..stripe.http import check_base
from ..stripe.meter_writer import AccountMeters
from ..stripe.response import Reply
from ..stripe.transport import Options, Transport
from ..stripe.usage.sampler import UsageSampler
from ..trusted_url import is_allowed_in_file

ALLOW_API_BASE = "RECONCILER_ALLOW_API_BASE"
"""The variable that names other https hosts that an `api_base` may send the key to."""

_ACCOUNT_READ = "rak_accounts_kyc_basic_read"
_LISTS = {
    "/v1/billing/meters": "meters",
    "/v1/prices": "prices",
    "/v1/subscriptions": "subscriptions",
    "/v1/events": "events",
    ALERTS: "billing alerts",
    CORE_EVENTS: "rejected usage",
}

_OF_ONE_MODE = ("/v1/prices", "/v1/subscriptions")

OnProgress = Callable[[str], None]
"""Called with what is being read, as in `reading meters, page 2`."""


def ignore_progress(_: str) -> None:
    """Show nothing."""


class _ReportingTransport(Transport):
    """Reports each page of a list before it is read, and checks the mode of what is billed."""

    def __init__(
        self, api_key: str, account: Account, report: OnProgress, **options: Unpack[Options]
    ) -> None:
        super().__init__(api_key, **options)
        self._account = account
        self._report = report
        self._pages: Counter[str] = Counter()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Report the page of a list, then read it; raise RefusedError for one of another mode."""
        if what := _LISTS.get(path):
            self._pages[what] += 1
            self._report(f"reading {what}, page {self._pages[what]}")
        reply = super().get(path, params)
        if path in _OF_ONE_MODE:
            self._check_mode(reply.body.get("data"))
        return reply

    def _check_mode(self, entries: object) -> None:
        """Refuse entries of the other mode; those of meters are refused by a guard."""
        other = not self._account.livemode
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("livemode") is other:
                raise RefusedError(report_wrong_mode(self._account, (str(entry.get("id")),)))


class Session:
    """One account, accessed with one key, during one run."""

    def __init__(
        self,
        account: Account,
        transport: Transport,
        clock: Clock,
        stopped: Stopped,
        on_progress: OnProgress = ignore_progress,
    ) -> None:
        self.account = account
        self.clock = clock
        self.stopped = stopped
        self.on_progress = on_progress
        self.meters = AccountMeters(transport)
        self.prices = Prices(transport)
        self.alerts = Alerts(transport)
        self.periods = Periods(transport)
        self.events = Events(transport)
        self.usage_reports = UsageReports(transport)
        self.usage_sampler = UsageSampler(transport)
        self.key_livemode = transport.key_livemode
        self._transport = transport
        self._own = transport.on_own_account()
        self._own_id: str | Unreadable | None = None
        self._rate_reported = False

    def read_own_id(self) -> str | Unreadable:
        """Return the id of the key's own account, read once; Unreadable without the permission.

        Raises StripeError if Stripe does not respond, or rejects the key.
        """
        if self._own_id is None:
            self._own_id = self._request_own_id()
        return self._own_id

    def _request_own_id(self) -> str | Unreadable:
        """Read the account of the key; the refusal of a restricted key can name it too.

        The text of a refusal is good enough to compare a configured `account_id` with, and used
        for nothing else. It names the key's own account only where no other one was asked for.
        """
        try:
            return self._own.get("/v1/account").read(parse_id)
        except PermissionDeniedError as error:
            named = error.account_id if self.account.account_id else None
            if named and not self.account.stripe_context:
                return named
            return describe_unreadable(error, _ACCOUNT_READ)
        except (AccountDeniedError, InvalidRequestError) as error:
            return Unreadable(_ACCOUNT_READ, error.message)

    def count_requests(self) -> int:
        """Return how many requests were sent so far, retries included."""
        return self._transport.requests

    def read_first(self, path: str) -> Reply:
        """Read the first entry of a list, which shows whether the key may; raise StripeError."""
        return self._transport.get(path, {"limit": 1})

    def report_rate(self) -> tuple[Diagnostic, ...]:
        """Return a warning if `rate_limit` is higher than the account allows; once a session."""
        lesson, limit = self._transport.rate_lesson, self.account.rate_limit
        if lesson is None or limit is None or self._rate_reported:
            return ()
        self._rate_reported = True
        rejected, accepted = lesson
        message = (
            f"Stripe rejected {rejected} requests by its rate limit, and accepted about {accepted} "
            f"a second; `rate_limit` of account {self.account.name!r} is {limit:g}"
        )
        hint = f"set `rate_limit: {accepted}` for the account in the project file"
        return (service.RATE_LIMIT_TOO_HIGH(message, hint=hint),)

    def find_account_id(self) -> str | None:
        """Return the id of the account that requests act on; None where it cannot be read."""
        account = self.account
        if account.stripe_context:
            return account.stripe_context.rsplit("/", 1)[-1]
        own = account.stripe_account or self.read_own_id()
        return None if isinstance(own, Unreadable) else own


@contextmanager
def connect(
    account: Account,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    stopped: Stopped = never,
    on_progress: OnProgress = ignore_progress,
) -> Iterator[Session]:
    """Open a session with an account, for a `with` block; start its emulator where it has one.

    The API key is read from the variable that the account names, in `environ` (default: the
    environment of this process). `clock` and `stopped` are for tests and signal handlers:
    `stopped` is called before every request, and ends the run when it returns True;
    `on_progress` is called for every page of a list. Nothing is sent yet.

    Raises AuthError (S001, S002) without a usable key, ServiceError (S005, S006) for an address
    or account id that must not be used (another https host than Stripe's must be named in
    RECONCILER_ALLOW_API_BASE of the same `environ`), ServiceError (E001) if the emulator cannot
    start.
    """
    clock = clock or SystemClock()
    open_session = _open_emulator if account.emulator else _open_remote
    keys = os.environ if environ is None else environ
    with open_session(account, keys) as (key, api_base):
        options: Options = {
            "api_base": api_base,
            "stripe_account": account.stripe_account,
            "stripe_context": account.stripe_context,
            "rate_limit": account.rate_limit,
            "clock": clock,
            "stopped": stopped,
        }
        with _ReportingTransport(key, account, on_progress, **options) as transport:
            yield Session(account, transport, clock, stopped, on_progress)


@contextmanager
def _open_remote(account: Account, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the key and the address of a remote API."""
    _check_address(account, environ)
    yield read_key(account, environ), account.api_base


def read_key(account: Account, environ: Mapping[str, str]) -> str:
    """Return the API key from the variable of an account; raise AuthError (S001, S002)."""
    name = account.api_key_env or "STRIPE_API_KEY"
    key = environ.get(name, "")
    subject = f"account {account.name!r}: the environment variable {name}"
    hint = f"set {name} to a secret or restricted key: https://dashboard.stripe.com/apikeys"
    if not key.strip():
        problem = "is empty" if name in environ else "is not set"
        hint = _advise_job(name) if name in environ and runs_in_ci(environ) else hint
        raise AuthError(service.KEY_MISSING(f"{subject} {problem}", hint=hint))
    if wrong := find_flaw(key):
        raise AuthError(service.KEY_MALFORMED(f"the API key in {name} {wrong}", hint=hint))
    return key


def _advise_job(name: str) -> str:
    """Return what an empty variable means in CI: the secret that it should hold does not exist."""
    return (
        "the pull request of a fork gets no secrets: run `reconciler validate` for it; otherwise "
        f"check the name of the secret behind {name}, and that this job may use its environment"
    )


def _check_address(account: Account, environ: Mapping[str, str]) -> None:
    """Raise ServiceError (S005) if the key may not be sent where the project file says."""
    if is_allowed_in_file(account.api_base, environ.get(ALLOW_API_BASE, "")):
        return
    base = check_base(account.api_base)
    message = (
        f"account {account.name!r}: the key is not sent to {base}, which is neither Stripe nor a "
        f"loopback address, and not named in {ALLOW_API_BASE}"
    )
    hint = (
        f"remove api_base from the project file; where the address is meant, set {ALLOW_API_BASE} "
        "to its host in the environment of the job"
    )
    raise ServiceError(service.UNSAFE_ADDRESS(message, hint=hint))


@contextmanager
def _open_emulator(account: Account, _: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the key and the address of an emulator in this process."""
    from ..emulator import EmulatorError, Server, open_state

    assert account.emulator
    try:
        with open_state(account.emulator, account.seed) as store, Server(store) as server:
            yield server.api_key, server.url
    except EmulatorError as error:
        raise ServiceError(environment.EMULATOR(str(error))) from None
