"""The calls to the Stripe API: meters, their prices, their events.

Source of every call, parameter and limit: Stripe's API reference, version 2026-09-30.endive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from datetime import datetime
from itertools import chain
from typing import Self, TypeVar

from msgspec.structs import replace

from ..diagnostics.codes import service
from ..diagnostics.errors import ServiceError
from ..execution.protocol import SIDE_BY_SIDE
from ..model.event import Event
from ..model.meter import (
    CustomerMapping,
    DefaultAggregation,
    ExistingMeter,
    Unreadable,
    ValueSettings,
)
from ..model.price import PRICES_PERMISSION, Price
from ..model.usage import Subscriber
from ..threads import block_signals, wait_for
from . import pagination
from .codec import (
    Page,
    is_meter_id,
    parse_any_price,
    parse_event,
    parse_meter,
    parse_price,
    parse_status,
    parse_subscriber,
    parse_summary,
)
from .errors import PermissionDeniedError
from .transport import Client, Transport
from .usage.objects import MeterEventSummary
from .usage.values import to_seconds

METERS, PRICES, EVENTS = "/v1/billing/meters", "/v1/prices", "/v1/events"
SUBSCRIPTIONS = "/v1/subscriptions"
METER_EVENTS = tuple(
    f"billing.meter.{what}" for what in ("created", "updated", "deactivated", "reactivated")
)
"""The types of events about meters."""

MAX_REQUESTS = 50
"""Meters of which something is listed with one request each; for more, everything is listed."""

T = TypeVar("T")
Item = TypeVar("Item")

_MOST_KEYS = 10  # lookup keys of one request
_ENDED = frozenset({"canceled", "incomplete_expired"})  # statuses of subscriptions


class Meters(Client):
    """The meters of one account; a context manager, safe to use from several threads.

    Every call raises StripeError if it does not succeed, and StoppedError after a stop signal.
    `Options` has the other parameters.
    """

    @classmethod
    def over(cls, transport: Transport) -> Self:
        """Return a client that shares a transport."""
        meters = cls.__new__(cls)
        meters._transport = transport
        return meters

    def list(
        self,
        *,
        status: str | None = None,
        limit: int | None = None,
        starting_after: str | None = None,
        ending_before: str | None = None,
        expand: Iterable[str] = (),
    ) -> Page[ExistingMeter]:
        """Read one page of `limit` meters (1 to 100, default 10), newest first."""
        params = {
            "status": status,
            "limit": limit,
            "starting_after": starting_after,
            "ending_before": ending_before,
            "expand": tuple(expand),
        }
        return pagination.read_page(self._transport, METERS, params, parse_meter)

    def pages(
        self,
        *,
        status: str | None = None,
        limit: int = pagination.PER_PAGE,
        expand: Iterable[str] = (),
    ) -> Iterator[Page[ExistingMeter]]:
        """Yield all pages of `limit` meters, each read on demand."""
        params = {"status": status, "limit": limit, "expand": tuple(expand)}
        return pagination.iterate_pages(self._transport, METERS, params, parse_meter)

    def all(
        self,
        *,
        status: str | None = None,
        limit: int = pagination.PER_PAGE,
        expand: Iterable[str] = (),
    ) -> Iterator[ExistingMeter]:
        """Yield all meters, newest first, reading pages of `limit` on demand."""
        for page in self.pages(status=status, limit=limit, expand=expand):
            yield from page.data

    def everything(self, *, in_pairs: bool = False) -> tuple[ExistingMeter, ...]:
        """Return every meter, active and inactive, each once, even if some change meanwhile.

        `in_pairs` takes one round trip less, and may take one request more.
        """
        return pagination.list_every_meter(
            lambda status: self.list(status=status, limit=pagination.PER_PAGE),
            self._list_ahead,
            in_pairs=in_pairs,
        )

    def _list_ahead(
        self, status: str | None, ahead: Callable[[], object]
    ) -> Iterator[ExistingMeter]:
        params = {"status": status}
        pages = pagination.iterate_pages(self._transport, METERS, params, parse_meter, ahead=ahead)
        return chain.from_iterable(page.data for page in pages)

    def get(self, meter_id: str, *, expand: Iterable[str] = ()) -> ExistingMeter:
        """Read one meter, active or not. Raises NotFoundError."""
        return self._transport.get(build_path(meter_id), {"expand": tuple(expand)}).read(
            parse_meter
        )

    def create(
        self,
        *,
        display_name: str,
        event_name: str,
        default_aggregation: DefaultAggregation | Mapping[str, str],
        customer_mapping: CustomerMapping | Mapping[str, str] | None = None,
        value_settings: ValueSettings | Mapping[str, str] | None = None,
        event_time_window: str | None = None,
        expand: Iterable[str] = (),
        idempotency_key: str | None = None,
    ) -> ExistingMeter:
        """Create a meter, which is active at once; omitted parameters get Stripe's defaults.

        Raises InvalidRequestError if an active meter has this event_name.
        """
        params = {
            "display_name": display_name,
            "event_name": event_name,
            "default_aggregation": default_aggregation,
            "customer_mapping": customer_mapping,
            "value_settings": value_settings,
            "event_time_window": event_time_window,
            "expand": tuple(expand),
        }
        return self._transport.post(METERS, params, idempotency_key).read(parse_meter)

    def update(
        self,
        meter_id: str,
        *,
        display_name: str,
        expand: Iterable[str] = (),
        idempotency_key: str | None = None,
    ) -> ExistingMeter:
        """Change the display_name, the only field of a meter that can be updated."""
        params = {"display_name": display_name, "expand": tuple(expand)}
        return self._transport.post(build_path(meter_id), params, idempotency_key).read(parse_meter)

    def deactivate(
        self, meter_id: str, *, expand: Iterable[str] = (), idempotency_key: str | None = None
    ) -> ExistingMeter:
        """Deactivate a meter. Usage that is sent to an inactive meter is lost."""
        path, params = f"{build_path(meter_id)}/deactivate", {"expand": tuple(expand)}
        return self._transport.post(path, params, idempotency_key).read(parse_meter)

    def reactivate(
        self, meter_id: str, *, expand: Iterable[str] = (), idempotency_key: str | None = None
    ) -> ExistingMeter:
        """Reactivate a meter, which keeps its id."""
        path, params = f"{build_path(meter_id)}/reactivate", {"expand": tuple(expand)}
        return self._transport.post(path, params, idempotency_key).read(parse_meter)

    def event_summaries(
        self,
        meter_id: str,
        *,
        customer: str,
        start_time: datetime | float,
        end_time: datetime | float,
        value_grouping_window: str | None = None,
        limit: int = pagination.PER_PAGE,
    ) -> Iterator[MeterEventSummary]:
        """Yield what a customer used of a meter, reading pages of `limit` on demand.

        One sum, or one for each `hour` or `day` of `value_grouping_window`, newest first; the
        times are to be on whole minutes, hours or days. New usage is not included at once.
        """
        params = {
            "customer": customer,
            "start_time": int(to_seconds("start_time", start_time)),
            "end_time": int(to_seconds("end_time", end_time)),
            "value_grouping_window": value_grouping_window,
            "limit": limit,
        }
        path = f"{build_path(meter_id)}/event_summaries"
        return pagination.iterate_entries(self._transport, path, params, parse_summary)


class Prices:
    """The prices of an account that are in use, if the key may read them.

    A price is in use if it is active, or archived with a subscription that has not ended:
    archiving a price stops new subscriptions only. Inline prices (created within a subscription)
    are in no list, and so not here either.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def in_use(self, meter_ids: tuple[str, ...]) -> tuple[Price, ...] | Unreadable:
        """Return the prices in use on these meters, read for several meters at once."""
        return read_if_permitted(
            PRICES_PERMISSION,
            lambda: self._keep_in_use(self._list_on(meter_ids, active=True), meter_ids),
        )

    def all_in_use(self, archived_on: tuple[str, ...]) -> tuple[Price, ...] | Unreadable:
        """Return every active metered price of the account, and the archived ones on some meters.

        Archived prices need a request each, so they are only read on the meters given.
        """
        return read_if_permitted(
            PRICES_PERMISSION,
            lambda: self._keep_in_use(
                self._list({"usage_type": "metered"}, active=True), archived_on
            ),
        )

    def find(self, lookup_keys: Iterable[str]) -> tuple[Price, ...] | Unreadable:
        """Return the prices with these lookup keys, active ones first, whatever they bill on.

        A lookup key has at most one active price, and any number of archived ones.
        """
        wanted = list(dict.fromkeys(lookup_keys))
        parts = [wanted[n : n + _MOST_KEYS] for n in range(0, len(wanted), _MOST_KEYS)]
        asked = [(part, active) for active in (True, False) for part in parts]
        return read_if_permitted(
            PRICES_PERMISSION,
            lambda: tuple(chain.from_iterable(run_concurrently(self._find_some, asked))),
        )

    def archived_on(self, meter_id: str) -> tuple[Price, ...]:
        """Return the archived prices on a meter, whether in use or not."""
        return self._list_on((meter_id,), active=False)

    def _find_some(self, asked: tuple[list[str], bool]) -> tuple[Price, ...]:
        keys, active = asked
        params = {"lookup_keys": keys, "active": active}
        found = pagination.iterate_entries(self._transport, PRICES, params, parse_any_price)
        return tuple(each for each in found if each.active is active and each.lookup_key in keys)

    def _keep_in_use(
        self, active: tuple[Price, ...], archived_on: tuple[str, ...]
    ) -> tuple[Price, ...]:
        """Add the archived prices with subscriptions; of a price archived meanwhile, one entry.

        Where subscriptions may not be read, every archived price counts.
        """
        known = {price.id for price in active}
        archived = [p for p in self._list_on(archived_on, active=False) if p.id not in known]
        subscribed = read_if_permitted(
            "rak_subscription_read",
            lambda: run_concurrently(self._has_subscription, (price.id for price in archived)),
        )
        if isinstance(subscribed, Unreadable):
            missing = subscribed.permission
            return (*active, *(replace(price, missing_permission=missing) for price in archived))
        used = (price for price, some in zip(archived, subscribed, strict=True) if some)
        return (*active, *used)

    def _list_on(self, meter_ids: tuple[str, ...], *, active: bool) -> tuple[Price, ...]:
        """List the prices on these meters; for many meters, the prices of the account once."""
        wanted = frozenset(meter_ids)
        if len(wanted) > MAX_REQUESTS:
            found = [self._list({"usage_type": "metered"}, active=active)]
        else:
            found = run_concurrently(
                lambda meter_id: self._list({"meter": meter_id}, active=active),
                dict.fromkeys(meter_ids),
            )
        return tuple(price for price in chain.from_iterable(found) if price.meter in wanted)

    def _list(self, recurring: Mapping[str, str], *, active: bool) -> tuple[Price, ...]:
        params = {"recurring": recurring, "active": active}
        found = pagination.iterate_entries(self._transport, PRICES, params, parse_price)
        return tuple(each for each in found if each and each.active is active)

    def _has_subscription(self, price_id: str) -> bool:
        """Whether a subscription to a price has not ended; usually the first one decides."""
        params = {"price": price_id}
        first = pagination.read_page(
            self._transport, SUBSCRIPTIONS, {**params, "limit": 1}, parse_status
        )
        if any(status not in _ENDED for status in first.data):
            return True
        every = pagination.iterate_entries(self._transport, SUBSCRIPTIONS, params, parse_status)
        return first.has_more and any(status not in _ENDED for status in every)


class Subscriptions:
    """The subscriptions of an account that have not ended."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def subscribers(self, price_id: str) -> Iterator[Page[Subscriber]]:
        """Yield the customers with a subscription to a price, the newest first, page by page."""
        params = {"price": price_id}
        pages = pagination.iterate_pages(self._transport, SUBSCRIPTIONS, params, parse_subscriber)
        for page in pages:
            left = tuple(each for each in page.data if each.status not in _ENDED)
            yield Page(left, page.has_more)


class Events:
    """The events of an account; Stripe lists those of the last 30 days."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def all(
        self, *, types: Iterable[str] = METER_EVENTS, since: int | None = None
    ) -> Iterator[Event]:
        """Yield events of up to 20 types, created at or after `since` (Unix seconds), newest first.

        Raises StripeError.
        """
        params = {"types": tuple(types), "created": {"gte": since}}
        return pagination.iterate_entries(self._transport, EVENTS, params, parse_event)


def build_path(meter_id: str) -> str:
    """Return the path of a meter; raise ServiceError (S007) for an id that is not one."""
    if is_meter_id(meter_id):
        return f"{METERS}/{meter_id}"
    raise ServiceError(service.INVALID_ID(f"{meter_id[:80]!a} cannot be the id of a meter"))


def read_if_permitted(permission: str, read: Callable[[], T]) -> T | Unreadable:
    """Read, or return the missing permission: the one that Stripe names, else `permission`."""
    try:
        return read()
    except PermissionDeniedError as error:
        return describe_unreadable(error, permission)


def describe_unreadable(error: PermissionDeniedError, permission: str) -> Unreadable:
    """Return the missing permission: the one that Stripe names, else `permission`."""
    return Unreadable(error.permission or permission, error.message, error.permission_title)


def run_concurrently(work: Callable[[Item], T], items: Iterable[Item]) -> list[T]:
    """Return the results in the order of the items; after a failure no other item begins.

    Raises the error of the first that failed, in order or, if one before it had not begun, in time.
    """
    failures: list[BaseException] = []

    def attempt(item: Item) -> T:
        if failures:
            raise CancelledError
        try:
            return work(item)
        except BaseException as error:
            failures.append(error)
            raise

    pool = ThreadPoolExecutor(max_workers=SIDE_BY_SIDE)
    try:
        with block_signals():
            futures = [pool.submit(attempt, item) for item in items]
        return [wait_for(future) for future in futures]
    except CancelledError:
        raise failures[0] from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
