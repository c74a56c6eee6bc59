"""The calls to the Stripe API: meters, their prices, their events.

Source of every call, parameter and limit: Stripe's API reference, version 2026-09-30.endive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Self, TypeVar, Unpack

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
from ..model.price import Price
from . import pagination
from .codec import Page, is_meter_id, parse_event, parse_meter, parse_price
from .errors import PermissionDeniedError
from .transport import Options, Transport

METERS, PRICES, EVENTS = "/v1/billing/meters", "/v1/prices", "/v1/events"
METER_EVENTS = tuple(
    f"billing.meter.{what}" for what in ("created", "updated", "deactivated", "reactivated")
)
"""The types of events about meters."""

T = TypeVar("T")


class Meters:
    """The meters of one account; a context manager, safe to use from up to eight threads.

    Every call raises StripeError if it does not succeed, and StoppedError after a stop signal.
    `Options` has the other parameters.
    """

    def __init__(self, api_key: str, **options: Unpack[Options]) -> None:
        self._transport = Transport(api_key, **options)

    @classmethod
    def over(cls, transport: Transport) -> Self:
        """Return a client that shares a transport."""
        meters = cls.__new__(cls)
        meters._transport = transport
        return meters

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

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

    def everything(self) -> tuple[ExistingMeter, ...]:
        """Return every meter, active and inactive, each once, even if some change meanwhile."""
        return pagination.list_every_meter(
            lambda status: self.list(status=status, limit=pagination.PER_PAGE),
            lambda status: self.all(status=status),
        )

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


class Prices:
    """The active prices of an account, if the key may read them.

    Inline prices (created within a subscription) are in no list, and so not here either.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def for_meters(self, meter_ids: tuple[str, ...]) -> tuple[Price, ...] | Unreadable:
        """Return the active prices that use these meters, read for up to eight meters at once."""
        found = read_if_permitted(
            "rak_plan_read", lambda: run_concurrently(self._list_of_meter, meter_ids)
        )
        return found if isinstance(found, Unreadable) else tuple(chain.from_iterable(found))

    def all(self) -> tuple[Price, ...] | Unreadable:
        """Return every active metered price of the account."""
        return read_if_permitted("rak_plan_read", lambda: self._list({"usage_type": "metered"}))

    def _list_of_meter(self, meter_id: str) -> tuple[Price, ...]:
        found = self._list({"meter": meter_id})
        return tuple(each for each in found if each.meter == meter_id)

    def _list(self, recurring: Mapping[str, str]) -> tuple[Price, ...]:
        params = {"recurring": recurring, "active": True}
        found = pagination.iterate_entries(self._transport, PRICES, params, parse_price)
        return tuple(each for each in found if each and each.active)


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


def run_concurrently(work: Callable[[str], T], items: Iterable[str]) -> list[T]:
    """Return the results in the order of the items; the first failure cancels what is queued."""
    pool = ThreadPoolExecutor(max_workers=SIDE_BY_SIDE)
    try:
        return [future.result() for future in [pool.submit(work, item) for item in items]]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
