"""Usage that Stripe rejected, as its reports count it, and samples of usage that it recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

_MOST_SAMPLES = 5  # identifiers of a sum


class RejectionCode(Struct, frozen=True):
    """Why usage events were rejected, how many, and the identifiers of some of them."""

    code: str
    count: int
    samples: tuple[str, ...] = ()


class UsageReport(Struct, frozen=True, kw_only=True):
    """One report of rejected usage: of one meter, or of event_names that no meter has.

    Times are Unix seconds: `start` and `end` are those of the validation, `created` of the report.
    """

    id: str
    type: str
    created: int
    meter_id: str | None
    start: int
    end: int
    codes: tuple[RejectionCode, ...]


class RejectedUsage(Struct, frozen=True, kw_only=True):
    """All usage events that were rejected within a window (seconds), by code.

    `first` and `last` are the times of the first and the last of them, as far as reports say.
    """

    count: int
    codes: tuple[RejectionCode, ...]
    first: int
    last: int
    window: int


class Subscriber(Struct, frozen=True):
    """A customer with a subscription, when that was created (Unix seconds), and its status."""

    customer: str
    since: int
    status: str


class UsageSample(Struct, frozen=True, kw_only=True):
    """What was read of the usage of a meter, of customers with a subscription to its prices.

    `start` and `end` (Unix seconds) are the window. `customers` have a subscription, and there may
    be `more`. Of those that were sampled, `used` have usage, `zero` only usage that comes to 0,
    `unused` none, and `recent` have subscribed within the window. `refused` counts the customers,
    or prices, that could not be read. `zero_listed` says whether Stripe lists 0 for a period
    without usage, None if that is not known: then `zero` may have none.
    """

    meter_id: str
    start: int
    end: int
    customers: int
    more: bool = False
    used: int = 0
    zero: int = 0
    unused: int = 0
    recent: int = 0
    refused: int = 0
    zero_listed: bool | None = None

    @property
    def sampled(self) -> int:
        """The number of customers whose usage was read."""
        return self.used + self.zero + self.unused

    @property
    def silent(self) -> bool:
        """Whether no customer has usage other than 0."""
        return self.sampled > 0 and not self.used

    @property
    def sums_to_zero(self) -> bool:
        """Whether usage arrives and all of it comes to 0."""
        return self.silent and self.zero > 0 and self.zero_listed is False


class UsageSampling(Struct, frozen=True, kw_only=True):
    """The samples of a run, by event_name: of at most `most` customers each; what it cost."""

    most: int
    start: int
    end: int
    requests: int
    samples: Mapping[str, UsageSample]


def sum_reports(reports: Iterable[UsageReport], window: int) -> RejectedUsage | None:
    """Add up reports; return None if they count nothing. The most frequent code comes first."""
    every = list(reports)
    counts: dict[str, int] = {}
    samples: dict[str, dict[str, None]] = {}
    for one in (one for report in every for one in report.codes):
        counts[one.code] = counts.get(one.code, 0) + one.count
        samples.setdefault(one.code, {}).update(dict.fromkeys(one.samples))
    if not sum(counts.values()):
        return None
    ranked = sorted(counts, key=lambda code: (-counts[code], code))
    return RejectedUsage(
        count=sum(counts.values()),
        codes=tuple(
            RejectionCode(code, counts[code], tuple(samples[code])[:_MOST_SAMPLES])
            for code in ranked
        ),
        first=min(report.start for report in every),
        last=max(report.end for report in every),
        window=window,
    )


def describe_codes(codes: Iterable[RejectionCode]) -> str:
    """Return the codes, each with its count."""
    return ", ".join(f"{one.code} ({one.count:,})" for one in codes)


def list_samples(codes: Iterable[RejectionCode]) -> str:
    """Return identifiers of some of the events."""
    return ", ".join(dict.fromkeys(sample for one in codes for sample in one.samples))
