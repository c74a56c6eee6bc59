"""The meters of an account as `apply` needs them, over HTTP."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..execution.protocol import Answer
from ..execution.steps import Operation, Step
from ..model.meter import ExistingMeter, Status, Unreadable
from ..model.price import Price
from .client import METERS, Meters, Prices, build_path
from .codec import parse_meter
from .errors import NotFoundError, StripeError
from .transport import MayRetry, Transport, always


class AccountMeters:
    """The `Meters` of `execution.protocol`, over HTTP; `in_pairs` as in `Meters.everything`."""

    def __init__(self, transport: Transport, *, in_pairs: bool = False) -> None:
        self._in_pairs = in_pairs
        self._transport = transport.finishing()
        self._meters = Meters.over(transport)
        self._prices = Prices(transport)

    def send(self, step: Step, key: str, may_retry: MayRetry = always) -> Answer:
        """Send one request, and retry it with the same idempotency key while that is safe.

        `may_retry` is called before each attempt but the first; False ends the attempts.
        Raises StoppedError only if nothing has been sent. Once an attempt may have had an
        effect, a stop signal no longer ends the retries.
        """
        path, params = request_for(step)
        try:
            reply = self._transport.post(path, params, key, may_retry)
            return Answer(reply.record, reply.read(parse_meter))
        except StripeError as error:
            return Answer(error.record, error=error.diagnostic)

    def read(self, meter_id: str) -> ExistingMeter | None:
        """Read a meter; return None if the account has no meter of this id."""
        try:
            return self._meters.get(meter_id)
        except NotFoundError:
            return None

    def read_prices(self, meter_id: str) -> tuple[Price, ...] | Unreadable:
        """Return the prices in use on a meter, if the key may read them."""
        return self._prices.in_use((meter_id,))

    def find(self, event_name: str, known: Collection[str]) -> tuple[ExistingMeter, ...]:
        """Return meters of this event_name that were created after the `known` ids.

        Reads the list, newest first, until a page ends with older meters than the newest known
        one: local time may differ from Stripe's. An inactive meter may be missing.
        """
        newer: list[ExistingMeter] = []
        for page in self._meters.pages():
            newer += (existing for existing in page.data if existing.id not in known)
            familiar = [existing.created for existing in page.data if existing.id in known]
            if familiar and page.data[-1].created < max(familiar):
                break
        return tuple(existing for existing in newer if existing.event_name == event_name)

    def list_all(self) -> tuple[ExistingMeter, ...]:
        """Return every meter of the account, active and inactive, each once."""
        return self._meters.everything(in_pairs=self._in_pairs)

    def list_active(self) -> tuple[ExistingMeter, ...]:
        """Return the active meters of the account."""
        return tuple(self._meters.all(status=Status.ACTIVE))

    def ignoring_stop(self) -> AccountMeters:
        """Return the same account for requests that no stop signal ends or shortens."""
        return AccountMeters(self._transport.ignoring_stop(), in_pairs=self._in_pairs)


def request_for(step: Step) -> tuple[str, dict[str, Any]]:
    """Return the path and the parameters of a step; those of a new meter are explicit."""
    desired = step.change.desired
    match step.operation:
        case Operation.CREATE if desired:
            return METERS, desired.meter.as_api()
        case Operation.UPDATE if desired and step.meter_id:
            return build_path(step.meter_id), {"display_name": desired.meter.display_name}
        case (Operation.DEACTIVATE | Operation.REACTIVATE) as operation if step.meter_id:
            return f"{build_path(step.meter_id)}/{operation}", {}
    raise AssertionError(f"a plan never holds {step}")
