"""Connect to an account: to Stripe, or to an emulator in this process.

The sessions of one run can share a network: connections, rate limits of platforms, account ids.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, Self, Unpack

from ..clock import Clock, Stopped, SystemClock, never
from ..diagnostics.codes import environment, fleet, service
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import AuthError, RefusedError, ServiceError, UsageError
from ..execution.protocol import SIDE_BY_SIDE
from ..model.meter import ExistingMeter, Unreadable
from ..model.project import Account
from ..stripe.api_key import Key, find_flaw
from ..stripe.billing.alerts import ALERTS, Alerts
from ..stripe.billing.periods import Periods
from ..stripe.client import Events, Prices, describe_unreadable
from ..stripe.codec import parse_id
from ..stripe.errors import AccountDeniedError, InvalidRequestError, PermissionDeniedError
from ..stripe.http.connection import Connection, Limits, check_base
from ..stripe.meter_writer import AccountMeters
from ..stripe.pagination import iterate_entries
from ..stripe.rate_limit import RateLimiter
from ..stripe.response import Reply
from ..stripe.transport import Options, Transport
from ..stripe.usage.core_events import CORE_EVENTS, UsageReports
from ..stripe.usage.sampler import UsageSampler
from ..threads import enter_blocking_signals, start_thread, wait_for
from ..trusted_url import is_allowed_in_file

ALLOW_API_BASE = "RECONCILER_ALLOW_API_BASE"
"""The variable that names other https hosts that an `api_base` may send the key to."""

_ACCOUNT_READ = "rak_accounts_kyc_basic_read"
ACCOUNTS = "/v1/accounts"
_LISTS = {
    ACCOUNTS: "connected accounts",
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


OwnId = str | Unreadable


class Network:
    """Shared by the sessions of one run, whatever their accounts; threads may share it.

    There is one pool of connections for each API address, which sends up to `side_by_side`
    requests at a time; one limiter for each platform with a rate limit; and the id of a key's own
    account is read once for all connected accounts.
    """

    def __init__(self, clock: Clock, side_by_side: int = SIDE_BY_SIDE) -> None:
        self._clock = clock
        self._side_by_side = max(side_by_side, SIDE_BY_SIDE)
        self._lock = threading.Lock()
        self._connections: dict[str, Connection] = {}
        self._limiters: dict[tuple[str, str], RateLimiter] = {}
        self._own_ids: dict[tuple[str, str], Future[OwnId]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()

    def connect(self, api_base: str, api_key: str) -> Connection:
        """Return a connection to an API that sends this key."""
        key = Key(api_key)
        with self._lock:
            connection = self._connections.get(api_base)
            if connection is None:
                connection = Connection(api_base, key, Limits(), self._side_by_side)
                self._connections[api_base] = connection
        return connection.with_key(key)

    def find_limiter(self, account: Account) -> RateLimiter | None:
        """Return the limiter of an account's platform; None if it has no rate limit."""
        platform, key = account.platform, account.key_source
        if platform is None or platform.rate_limit is None:
            return None
        with self._lock:
            if key not in self._limiters:
                limiter = RateLimiter(platform.rate_limit, self._clock.monotonic())
                self._limiters[key] = limiter
            return self._limiters[key]

    def read_own_id(self, account: Account, read: Callable[[], OwnId]) -> OwnId:
        """Return the id of the account of a key, read by the first of its connected accounts.

        Those that ask meanwhile wait for it, and share its error; later ones try again.
        """
        if account.platform is None:
            return read()
        key = account.key_source
        with self._lock:
            found, is_first = self._own_ids.get(key), key not in self._own_ids
            if found is None:
                found = self._own_ids[key] = Future()
        if is_first:
            try:
                found.set_result(read())
            except BaseException as error:
                with self._lock:
                    del self._own_ids[key]
                found.set_exception(error)
        return wait_for(found)


class _ReportingTransport(Transport):
    """Reports each page of a list before it is read, and checks the mode of what is billed."""

    def __init__(
        self, api_key: str, account: Account, report: OnProgress, **options: Unpack[Options]
    ) -> None:
        super().__init__(api_key, **options)
        self._account = account
        self._report = report
        self._pages: Counter[str] = Counter()
        self._counting = threading.Lock()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Report the page of a list, then read it; raise RefusedError for one of another mode."""
        if what := _LISTS.get(path):
            with self._counting:  # two lists may be read at a time
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
                from ..planning.guards import report_wrong_mode  # no other session needs it

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
        network: Network | None = None,
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
        self._network = network
        self._own = transport.on_own_account()
        self._own_id: str | Unreadable | None = None
        self._own_id_ahead: Future[OwnId] | None = None
        self._meters_ahead: Future[tuple[ExistingMeter, ...]] | None = None
        self._rate_reported = False

    def begin_reading(self) -> None:
        """Begin to read what every plan needs: the meters, and the account of the key.

        For the only account of a run, whose lists are read in pairs: in a fleet, the rate limit
        counts, not the round trips.
        """
        self._transport.prepare()
        self.meters = AccountMeters(self._transport, in_pairs=True)
        self._meters_ahead = start_thread(self.meters.list_all)
        self._own_id_ahead = start_thread(self._request_own_id)

    def list_meters(self) -> tuple[ExistingMeter, ...]:
        """Return every meter of the account, as `begin_reading` found it or as it is now."""
        ahead, self._meters_ahead = self._meters_ahead, None
        return wait_for(ahead) if ahead else self.meters.list_all()

    def read_own_id(self) -> str | Unreadable:
        """Return the id of the key's own account, read once; Unreadable without the permission.

        Raises StripeError if Stripe does not respond, or rejects the key.
        """
        if self._own_id is None:
            ahead, self._own_id_ahead = self._own_id_ahead, None
            network = self._network
            read = partial(wait_for, ahead) if ahead else self._request_own_id
            self._own_id = network.read_own_id(self.account, read) if network else read()
        return self._own_id

    def list_connected(self) -> tuple[str, ...]:
        """Return the ids of all connected accounts of the key's account, in order of their ids.

        Raises StripeError, AuthError without the permission.
        """
        return tuple(sorted(iterate_entries(self._own, ACCOUNTS, {}, parse_id)))

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
    network: Network | None = None,
) -> Iterator[Session]:
    """Open a session with an account, for a `with` block; start its emulator where it has one.

    The API key is read from the variable that the account names, in `environ` (default: the
    environment of this process). `clock` and `stopped` are for tests and signal handlers:
    `stopped` is called before every request, and ends the run when it returns True;
    `on_progress` is called for every page of a list; `network` is what the sessions of one run
    share. Nothing is sent yet.

    Raises AuthError (S001, S002) without a usable key, ServiceError (S005, S006) for an address
    or account id that must not be used (another https host than Stripe's must be named in
    RECONCILER_ALLOW_API_BASE of the same `environ`), ServiceError (E001) if the emulator cannot
    start, UsageError (U012) for an entry that covers many accounts: `Account.expand` has each.
    """
    _check_is_one(account)
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
        if network:
            options["connection"] = network.connect(check_base(api_base), key)
            options["platform_limiter"] = network.find_limiter(account)
        with _ReportingTransport(key, account, on_progress, **options) as transport:
            yield Session(account, transport, clock, stopped, on_progress, network)


def _check_is_one(account: Account) -> None:
    """Raise UsageError for an entry with connected accounts."""
    if account.connected:
        message = f"{account.name!r} covers many connected accounts"
        raise UsageError(fleet.SEVERAL_ACCOUNTS(message))


@contextmanager
def _open_remote(account: Account, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the key and the address of a remote API."""
    _check_address(account, environ)
    yield read_key(account, environ), account.api_base


def read_key(account: Account, environ: Mapping[str, str]) -> str:
    """Return the API key from the variable of an account; raise AuthError (S001, S002)."""
    _, name = account.key_source
    key = environ.get(name, "")
    subject = f"account {account.name!r}: the environment variable {name}"
    hint = f"set {name} to a secret or restricted key: https://dashboard.stripe.com/apikeys"
    if not key.strip():
        problem = "is empty" if name in environ else "is not set"
        from ..history.ci import runs_in_ci  # a key is rarely missing, and the import takes time

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
        with (
            open_state(account.emulator, account.seed) as store,
            enter_blocking_signals(Server(store)) as server,
        ):
            yield server.api_key, server.url
    except EmulatorError as error:
        raise ServiceError(environment.EMULATOR(str(error))) from None
