"""Where a key may be sent."""

from __future__ import annotations

import pytest

from reconciler.diagnostics.errors import ServiceError
from reconciler.stripe.exchange import checked_base


@pytest.mark.parametrize(
    "base",
    [
        "http://api.stripe.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "http://[::2]:80",
        "ftp://127.0.0.1",
        "api.stripe.com",
        "",
        "https://",
        "https://user:secret@api.stripe.com",
        "https://api.stripe.com?x=1",
        "https://api.stripe.com#x",
        "https://api.stripe.com\r\nX: y",
        "https://[bad",
        "https://api.stripe.com:99999",
        "https://x:0",
        "https://ex\xe4.com",
        "https://a b",
        "https://a\\b",
        "https://a.",
        "https://[:::]",
    ],
)
def test_a_key_goes_only_over_https_or_to_this_machine(base):
    """Anything else is refused before anything is sent."""
    with pytest.raises(ServiceError) as caught:
        checked_base(base)
    assert caught.value.diagnostics[0].code == "S005"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "base", ["http://localhost:1", "http://127.9.9.9", "http://[::1]:1", "https://a.b/c/"]
)
def test_addresses_a_key_may_go_to(base):
    """Loopback by name and by number, and any https."""
    assert checked_base(base) == base.rstrip("/")
