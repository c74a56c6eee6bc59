"""The recorded usage by identifier, and by meter and customer: both are looked up often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..messages import Json


class UsageIndex:
    """Finds records of usage without reading all of them. A later version of one replaces it."""

    def __init__(self) -> None:
        self._by_identifier: dict[str, dict[str, Json]] = defaultdict(dict)
        self._by_customer: dict[tuple[str, str], dict[str, Json]] = defaultdict(dict)

    def add(self, records: Iterable[Json]) -> None:
        """Add records, or replace those of the same id."""
        for record in records:
            self._by_identifier[record["identifier"]][record["id"]] = record
            self._by_customer[record["meter"], record["customer"]][record["id"]] = record

    def find(self, identifier: str) -> list[Json]:
        """Return the records of an identifier, oldest first."""
        return list(self._by_identifier.get(identifier, {}).values())

    def select(self, meter_id: str, customer: str) -> list[Json]:
        """Return what a customer used of a meter, in the order of arrival."""
        return list(self._by_customer.get((meter_id, customer), {}).values())
