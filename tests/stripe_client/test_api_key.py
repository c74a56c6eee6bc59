"""The key is never displayed: no error and nothing in its chain, no repr, no log."""

from __future__ import annotations

import re

import pytest
from stripe_client.scripted import KEY, PATH, Scripted, http, in_turn, refusal, to

from reconciler.diagnostics.errors import AuthError, Exit, ReconcilerError
from reconciler.stripe.errors import StripeError
from reconciler.stripe.transport import Transport

OK = http(200, {"id": "x"})


def texts_of(error: BaseException) -> str:
    """All texts of an exception, with its chain."""
    seen, texts, queue = set(), [], [error]
    while queue:
        one = queue.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        texts += [str(one), repr(one), repr(one.args), repr(vars(one))]
        queue += [one.__cause__, one.__context__]
        if isinstance(one, ReconcilerError):
            texts.append(repr(one.diagnostics))
    return "\n".join(texts)


SPACE, HEADER = "holds a space or a line break", "holds a character that no header can hold"


@pytest.mark.parametrize(
    ("key", "flaw"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("sk_test_abc\n", SPACE),
        ("sk_test_abc def", SPACE),
        (" sk_test_abc", SPACE),
        ("sk_test_abc\r\nX-Evil: 1", SPACE),
        ("sk_test_äbc", HEADER),
        ("sk_test_ab\x00c", HEADER),
        ("sk_test_ab\u200bc", HEADER),
        ("\ufeffsk_test_abc", HEADER),
        ("pk_test_abcdefgh", "is a publishable key"),
        ("whsec_abcdefgh", "is the secret of a webhook"),
        ("acct_1abcdefgh", "is the id of an account"),
        ('"sk_test_abcdefgh"', "is in quotes"),
        ("'sk_test_abcdefgh'", "is in quotes"),
        ("STRIPE_KEY=sk_test_abcdefgh", "begins with `NAME=`"),
        ("export STRIPE_KEY=sk_test_abcdefgh", "begins with `NAME=`"),
        ("Bearer sk_test_abcdefgh", "begins with `Bearer `"),
        ("<your key>", "is a placeholder"),
        ("${STRIPE_KEY}", "is a placeholder"),
        ("$STRIPE_KEY", "is a placeholder"),
        ("{{ secrets.STRIPE_KEY }}", "is a placeholder"),
        ("YOUR_API_KEY", "is a placeholder"),
        ("changeme", "is a placeholder"),
        ("xxxx", "is a placeholder"),
        ("...", "is a placeholder"),
        ("sk_test_…", "is a placeholder"),
        ("hunter2hunter2", "does not begin with sk_ or rk_"),
        ("SK_TEST_abcdefgh", "does not begin with sk_ or rk_"),
    ],
)
def test_a_malformed_key_is_rejected_and_not_displayed(key, flaw):
    """The message says what is wrong with it."""
    with pytest.raises(AuthError) as caught:
        Transport(key)
    assert caught.value.diagnostics[0].code == "S002"
    assert caught.value.exit_code == Exit.DENIED
    assert caught.value.diagnostics[0].message.startswith(f"the API key {flaw}")
    for piece in re.findall(r"\w{7,}", key):
        assert piece not in caught.value.diagnostics[0].message.replace("placeholder", "")


@pytest.mark.parametrize("key", ["sk_test_a-b.c+d/e=", "rk_live_~!*", "sk_new_x", "sk_test_..."])
def test_the_alphabet_of_keys_is_open(key):
    """Stripe decides what is a key."""
    with Transport(key) as transport:
        assert key not in repr(transport)


LEAKS = [
    None,
    refusal(400, f"bad key {KEY}", code=KEY, param=KEY, type=KEY),
    refusal(401, f"Invalid API Key provided: {KEY}"),
    refusal(500, KEY),
    http(502, f"<pre>Authorization: Bearer {KEY}</pre>"),
    http(200, f"{{{KEY}"),
    http(302, "", Location=f"https://evil.example/{KEY}"),
    http(200, "", Content_Encoding=KEY),
    http(400, "{}", Request_Id=f"req {KEY}"),
    http(400, "{}", Request_Id=KEY),
    http(400, "{}", Request_Id=f"req_{KEY}"),
    f"HTTP/1.1 {KEY}\r\n\r\n".encode(),
    [f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode(), None],
    f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{KEY}\r\n".encode(),
]


@pytest.mark.parametrize("answer", LEAKS)
def test_no_error_contains_the_key(answer, clock):
    """Nor does its chain, even if the response quotes the key."""
    with (
        Scripted(in_turn(answer)) as server,
        to(server, clock) as transport,
        pytest.raises(StripeError) as caught,
    ):
        transport.get(PATH)
    assert KEY not in texts_of(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_neither_a_repr_nor_the_log_contains_the_key(clock, caplog):
    caplog.set_level("DEBUG")
    with Scripted(in_turn(OK)) as server, to(server, clock) as transport:
        transport.post(PATH)
        shown = repr(transport) + repr(vars(transport))
    assert KEY not in shown
    assert "POST /v1/billing/meters" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("key", "livemode"),
    [
        ("sk_test_a", False),
        ("rk_test_a", False),
        ("sk_live_a", True),
        ("rk_live_a", True),
        ("sk_org_live_a", True),
        ("sk_org_a", None),
        ("sk_unknown", None),
    ],
)
def test_the_mode_of_a_key(key, livemode):
    """None if its prefix has none."""
    with Transport(key) as transport:
        assert transport.key_livemode is livemode
