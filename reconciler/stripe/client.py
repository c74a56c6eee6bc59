"""The calls to Stripe that this tool is made of: meters, their prices, their events.

Source of every call, parameter and limit: Stripe's API reference, version 2026-09-30.endive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
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
from . import pagination as listing
from .codec import Page, event, is_meter_id, meter, price
from .errors import PermissionDeniedError
from .transport import Options, Transport

METERS, PRICES, EVENTS = "/v1/billing/meters", "/v1/prices", "/v1/events"
METER_EVENTS = tuple(
    f"billing.meter.{what}" for what in ("created", "updated", "deactivated", "reactivated")
)
"""The types of event that tell of a meter's life."""

T = TypeVar("T")


class Meters:
    """The meters of one account; usable as a context manager, and by up to eight threads.

    Every call raises StripeError for what the API answers or does not answer, StoppedError
    after a stop signal. For an account that is reached in another way see `Options`.
    """

    def __init__(self, api_key: str, **options: Unpack[Options]) -> None:
        self._transport = Transport(api_key, **options)

    @classmethod
    def over(cls, transport: Transport) -> Self:
        """The same on a transport that others use too."""
        meters = cls.__new__(cls)
        meters._transport = transport
        return meters

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
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
        """One page, newest first: `limit` meters (1 to 100, default 10) after or before an id."""
        params = {
            "status": status,
            "limit": limit,
            "starting_after": starting_after,
            "ending_before": ending_before,
            "expand": tuple(expand),
        }
        return listing.one_page(self._transport, METERS, params, meter)

    def pages(
        self,
        *,
        status: str | None = None,
        limit: int = listing.PER_PAGE,
        expand: Iterable[str] = (),
    ) -> Iterator[Page[ExistingMeter]]:
        """All pages of `limit` meters, each read when it is asked for."""
        params = {"status": status, "limit": limit, "expand": tuple(expand)}
        return listing.pages(self._transport, METERS, params, meter)

    def all(
        self,
        *,
        status: str | None = None,
        limit: int = listing.PER_PAGE,
        expand: Iterable[str] = (),
    ) -> Iterator[ExistingMeter]:
        """All meters, newest first, lazily; `limit` is the size of the pages underneath."""
        for page in self.pages(status=status, limit=limit, expand=expand):
            yield from page.data

    def everything(self) -> tuple[ExistingMeter, ...]:
        """Every meter, active and inactive, each once, even if some change status meanwhile."""
        return listing.whole_account(
            lambda status: self.list(status=status, limit=listing.PER_PAGE),
            lambda status: self.all(status=status),
        )

    def get(self, meter_id: str, *, expand: Iterable[str] = ()) -> ExistingMeter:
        """One meter, active or not. Raises NotFoundError."""
        return self._transport.get(path_of(meter_id), {"expand": tuple(expand)}).read(meter)

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
        """A new meter, active at once. What is left out becomes Stripe's default.

        Raises InvalidRequestError where an active meter has this event_name already.
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
        return self._transport.post(METERS, params, idempotency_key).read(meter)

    def update(
        self,
        meter_id: str,
        *,
        display_name: str,
        expand: Iterable[str] = (),
        idempotency_key: str | None = None,
    ) -> ExistingMeter:
        """Another display_name: the only thing about a meter that can ever change."""
        params = {"display_name": display_name, "expand": tuple(expand)}
        return self._transport.post(path_of(meter_id), params, idempotency_key).read(meter)

    def deactivate(
        self, meter_id: str, *, expand: Iterable[str] = (), idempotency_key: str | None = None
    ) -> ExistingMeter:
        """Stop a meter. Usage sent to it from now on is lost."""
        path, params = f"{path_of(meter_id)}/deactivate", {"expand": tuple(expand)}
        return self._transport.post(path, params, idempotency_key).read(meter)

    def reactivate(
        self, meter_id: str, *, expand: Iterable[str] = (), idempotency_key: str | None = None
    ) -> ExistingMeter:
        """Let a meter count usage again, under its old id."""
        path, params = f"{path_of(meter_id)}/reactivate", {"expand": tuple(expand)}
        return self._transport.post(path, params, idempotency_key).read(meter)


class Prices:
    """The active prices of an account, as far as the key may read them.

    Inline prices (made within a subscription) are on no list, and so not here either.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def for_meters(self, meter_ids: tuple[str, ...]) -> tuple[Price, ...] | Unreadable:
        """The active prices bound to these meters; up to eight meters are asked for at once."""
        return readable("rak_plan_read", lambda: _flat(side_by_side(self._of_one, meter_ids)))

    def all(self) -> tuple[Price, ...] | Unreadable:
        """Every active metered price of the account, paged once."""
        return readable("rak_plan_read", lambda: self._listed({"usage_type": "metered"}))

    def _of_one(self, meter_id: str) -> tuple[Price, ...]:
        found = self._listed({"meter": meter_id})
        return tuple(each for each in found if each.meter == meter_id)

    def _listed(self, recurring: Mapping[str, str]) -> tuple[Price, ...]:
        params = {"recurring": recurring, "active": True}
        found = listing.entries(self._transport, PRICES, params, price)
        return tuple(each for each in found if each and each.active)


class Events:
    """What happened in an account during the last 30 days; older events Stripe does not list."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def all(
        self, *, types: Iterable[str] = METER_EVENTS, since: int | None = None
    ) -> Iterator[Event]:
        """Events of up to 20 types created at or after `since` (Unix seconds), newest first.

        Read lazily, page by page; raises StripeError, PermissionDeniedError among them.
        """
        params = {"types": tuple(types), "created": {"gte": since}}
        return listing.entries(self._transport, EVENTS, params, event)


def path_of(meter_id: str) -> str:
    """Where a meter is found; ServiceError (S007) for an id that would lead elsewhere."""
    if is_meter_id(meter_id):
        return f"{METERS}/{meter_id}"
    raise ServiceError(service.INVALID_ID(f"{meter_id[:80]!a} cannot be the id of a meter"))


def readable(permission: str, read: Callable[[], T]) -> T | Unreadable:
    """What is read, or the permission that the key lacks: Stripe's word for it, else ours."""
    try:
        return read()
    except PermissionDeniedError as error:
        return Unreadable(error.permission or permission, error.message)


def side_by_side(work: Callable[[str], T], items: Iterable[str]) -> list[T]:
    """The results in the order of the items; the first failure cancels what has not begun."""
    pool = ThreadPoolExecutor(max_workers=SIDE_BY_SIDE)
    try:
        return [future.result() for future in [pool.submit(work, item) for item in items]]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _flat(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(each for part in parts for each in part)
