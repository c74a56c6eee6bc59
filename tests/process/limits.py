"""What a process of the command is held to from its start."""

from __future__ import annotations

import ctypes
import os
import resource


def powerless() -> None:
    """Root is held to the permissions of files, as everybody else is."""
    version, dac_override = 0x20080522, 1 << 1  # <linux/capability.h>
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        header = (ctypes.c_uint32 * 2)(version, 0)
        held = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable, twice
        assert libc.capget(header, held) == 0
        for n in range(3):
            held[n] &= ~dac_override
        assert libc.capset(header, held) == 0


def little_room() -> None:
    """No file grows beyond a few requests' worth of journal."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
