"""What `emulate` has to say once it listens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Serving:
    """Where an emulator is reached, and a key that it accepts, which is no secret."""

    url: str
    api_key: str
