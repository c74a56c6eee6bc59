"""The document of `compare`."""

from __future__ import annotations

from collections import Counter

from ..diagnostics.errors import Exit
from ..model.comparison import MeterComparison, Parity
from .result import CommandResult


class Comparison(CommandResult, frozen=True, kw_only=True):
    """The meters of two accounts side by side; `meters` is empty where one could not be read.

    `narrowed` says that event_names were left out.
    """

    meters: tuple[MeterComparison, ...] = ()
    narrowed: bool = False

    @property
    def complete(self) -> bool:
        """Whether both accounts could be read, and no event_name was left out."""
        return self.compared and not self.narrowed

    @property
    def compared(self) -> bool:
        """Whether both accounts could be read."""
        return self.exit_code in (Exit.DONE, Exit.CHANGES)

    @property
    def differences(self) -> tuple[MeterComparison, ...]:
        """The event_names that are not equal."""
        return tuple(each for each in self.meters if each.parity.is_difference)

    @property
    def counts(self) -> dict[str, int]:
        """How many event_names compare in each way."""
        found = Counter(each.parity for each in self.meters)
        return {str(parity): found[parity] for parity in Parity}
