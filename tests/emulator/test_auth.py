"""Checks before the execution: keys, permissions, account, version, URL and rate limits."""

import base64
import re
from pathlib import Path

import pytest
import stripe
from emulator.client import EVENTS, METERS, PRICES, account, meter

from reconciler.emulator import Key, SettingError, parse_key
from reconciler.emulator.messages import Request
from reconciler.emulator.requests.stripe_api import is_call
from reconciler.emulator.routes import ENDPOINTS

LIVE = {"account": {"id": "acct_live", "livemode": True}}
READER = Key("rk_test_reader123456", frozenset({"billing_meter_read"}))
WRITER = Key("rk_test_writer123456", frozenset({"billing_meter_write", "plan_read"}))
VERSION = "2026-09-30.endive"


def ask(emulated, authorization="Bearer sk_test_1", **headers):
    """Send a GET with exactly these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return emulated.ask(Request("GET", METERS, "", named | {"authorization": authorization}))


@pytest.mark.parametrize("key", ["sk_test_1", "rk_test_1", "sk_test_51Abc_x"])
def test_any_well_formed_test_key_is_accepted_by_a_test_account(key):
    """As Bearer token or as the user name of Basic."""
    basic = base64.b64encode(f"{key}:".encode()).decode()
    assert ask(account(), f"Bearer {key}").status == 200
    assert ask(account(), f"Basic {basic}").status == 200


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Bearer sk_test_", "Bearer sk_prod_1", "Bearer hello",
        "Bearer pk_test_1", "Bearer sk_live_1", "Basic !!!", "Basic /w==", "Digest sk_test_1",
        "Bearer sk_test_ü",
    ],
)  # fmt: skip
def test_any_other_key_is_a_401(header):
    response = ask(account(), header)
    assert (response.status, response.error["type"]) == (401, "invalid_request_error")


@pytest.mark.parametrize(
    ("key", "masked"),
    [
        ("sk_live_secretsecret1234", "sk_live_***1234"),
        ("sk_live_secre1234", "sk_live_***1234"),
        ("sk_live_secr1234", "sk_live_***"),  # too short to show half of it
        ("secret1234", "***1234"),
        ("secr1234", "***"),
    ],
)
def test_a_refused_key_is_masked_in_the_message(key, masked):
    message = ask(account(), f"Bearer {key}").error["message"]
    assert message == f"Invalid API Key provided: {masked}"


def test_a_live_account_requires_a_live_key():
    live = account(seed=LIVE)
    assert ask(live, "Bearer sk_live_1").status == 200
    assert ask(live, "Bearer sk_test_1").status == 401


def test_listed_keys_are_the_only_ones():
    """Whatever mode their prefix names; an expired one has a code of its own."""
    live = account(seed=LIVE, keys=(Key("sk_test_known"), Key("sk_test_old", expired=True)))
    assert ask(live, "Bearer sk_test_known").status == 200
    assert ask(live, "Bearer sk_live_other").status == 401
    assert ask(live, "Bearer sk_test_old").error["code"] == "api_key_expired"
    assert "sk_test_known" not in repr(live.state.settings)


@pytest.mark.parametrize(
    ("word", "permissions"),
    [
        ("sk_test_1", None),
        ("rk_test_1=plan_read", {"plan_read"}),
        ("rk_test_1=plan_read,event_read", {"plan_read", "event_read"}),
        ("rk_test_1=", set()),
    ],
)
def test_a_key_may_list_its_permissions(word, permissions):
    assert parse_key(word).permissions == permissions


@pytest.mark.parametrize("word", ["", "hello", "rk_test_=plan_read", "rk_test_1=plan_raed"])
def test_an_invalid_key_is_reported(word):
    with pytest.raises(SettingError, match=r"write it as|plan_read, plan_write"):
        parse_key(word)


PERMISSIONS = [
    (READER, "GET", METERS, None),
    (READER, "POST", METERS, "billing_meter_write"),
    (READER, "GET", PRICES, "plan_read"),
    (READER, "POST", PRICES, "plan_write"),
    (READER, "GET", EVENTS, "event_read"),
    (READER, "GET", "/v1/account", "accounts_kyc_basic_read"),
    (WRITER, "GET", METERS, None),
    (WRITER, "POST", METERS, None),
    (WRITER, "GET", PRICES, None),
    (WRITER, "POST", PRICES, "plan_write"),
]


@pytest.mark.parametrize(("key", "method", "path", "missing"), PERMISSIONS)
def test_a_restricted_key_needs_the_permission(key, method, path, missing):
    """403 with the name of the permission; a write permission includes the read."""
    emulated = account(keys=(key,))
    emulated.headers["authorization"] = f"Bearer {key.secret}"
    response = emulated.post(path, **meter()) if method == "POST" else emulated.get(path)
    if missing is None:
        assert response.status == 200
    else:
        assert (response.status, response.error["type"]) == (403, "invalid_request_error")
        assert f"('{missing}') permissions on this key would allow" in response.error["message"]
        assert key.secret not in response.error["message"]


@pytest.mark.parametrize("header", ["stripe_account", "stripe_context"])
def test_another_account_is_a_403(header):
    emulated = account(seed={"account": {"id": "acct_1"}})
    assert ask(emulated, **{header: "acct_1"}).status == 200
    response = ask(emulated, **{header: "acct_2"})
    assert (response.status, response.error["code"]) == (403, "account_invalid")


def test_an_organization_key_needs_context_and_version():
    emulated = account(seed={"account": {"id": "acct_1"}})
    key, context = "Bearer sk_org_live_1", "org_1/acct_1"
    assert ask(emulated, key, stripe_context=context).status == 400
    assert ask(emulated, key, stripe_version=VERSION).status == 400
    assert ask(emulated, key, stripe_version=VERSION, stripe_context=context).status == 200


@pytest.mark.parametrize(
    ("version", "status"),
    [
        (VERSION, 200), ("2020-08-27", 200), ("2025-03-31.basil; x_beta=v1", 200),
        ("endive", 400), ("2026-9-30", 400), ("2026-09-30.", 400),
    ],
)  # fmt: skip
def test_any_well_formed_version_is_accepted_and_returned(version, status):
    response = ask(account(), stripe_version=version)
    assert response.status == status
    assert response.headers["Stripe-Version"] == version or status == 400


def test_every_answer_has_a_request_id_of_its_own():
    emulated = account()
    answers = [emulated.get(), emulated.get("/v1/nope"), ask(emulated, ""), emulated.get()]
    ids = {each.headers["Request-Id"] for each in answers}
    assert len(ids) == 4
    assert all(each.startswith("req_") for each in ids)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/custmers"), ("DELETE", f"{METERS}/mtr_1"), ("PUT", METERS), ("GET", "/"),
        ("HEAD", METERS), ("GET", f"{METERS}/a/b"), ("GET", f"{METERS}/mtr_1/deactivate"),
        ("GET", f"{METERS}/"),
    ],
)  # fmt: skip
def test_an_unknown_path_or_method_is_a_404(method, path):
    emulated = account()
    response = emulated.ask(Request(method, path, "", emulated.headers))
    assert response.status == 404
    assert response.error["message"].startswith(f"Unrecognized request URL ({method}: {path})")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/invoices"), ("DELETE", "/v1/invoices/in_1"), ("GET", "/v1/prices/search"),
        ("POST", "/v2/core/accounts"), ("POST", "/v1/invoices/in_1/lines/il_1"),
    ],
)  # fmt: skip
def test_a_call_that_only_stripe_has_is_named(method, path):
    """It says what is emulated, and that a retry is of no use."""
    emulated = account()
    response = emulated.ask(Request(method, path, "", emulated.headers))
    assert (response.status, response.error["code"]) == (501, "not_emulated")
    assert response.headers["Stripe-Should-Retry"] == "false"
    assert "request_log_url" not in response.error
    start, supported = response.error["message"].split(". Supported: ")
    assert start == f"The emulator does not support {method} {path}"
    assert {METERS, PRICES, EVENTS, "/v1/account"} <= set(supported.split(", "))


def test_every_emulated_call_is_one_of_stripe():
    """And so is every call of Stripe's own package."""
    for endpoint in ENDPOINTS:
        assert is_call(endpoint.method, endpoint.path.replace("{id}", "x_1")), endpoint.path
    folder = Path(stripe.__file__).parent
    text = "".join(path.read_text("utf-8") for path in folder.rglob("_*_service.py"))
    calls = set(re.findall(r'"(get|post|delete)",\s*"(/v[12]/[^"]*)"', text))
    assert len(calls) > 500
    for method, path in calls:
        assert is_call(method.upper(), re.sub(r"\{[^}]*\}", "x_1", path)), path


def test_an_id_in_a_path_may_be_encoded():
    emulated = account(seed={"meters": [meter("a") | {"id": "mtr/ä 1"}]})
    assert emulated.get(f"{METERS}/mtr%2F%C3%A4%201").json["id"] == "mtr/ä 1"


def test_requests_above_the_rate_limit_are_refused():
    """A second's worth at once, then as the tokens are refilled; before the idempotency layer."""
    emulated = account(rate_limit=3)
    assert [emulated.get().status for _ in range(4)] == [200, 200, 200, 429]
    response = emulated.post(key="k", **meter())
    assert response.error["code"] == "rate_limit"
    assert response.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    assert "Retry-After" not in response.headers
    emulated.now += 0.34
    assert [emulated.get().status for _ in range(2)] == [200, 429]
    emulated.now += 60
    assert [emulated.get().status for _ in range(4)] == [200, 200, 200, 429]
    emulated.now += 1
    assert not emulated.post(key="k", **meter()).replayed


def test_each_endpoint_may_have_a_rate_limit_of_its_own():
    """All ids of one call count together; other calls are not limited."""
    emulated = account(endpoint_rate_limit=2)
    answers = [emulated.get(f"{METERS}/mtr_{n}") for n in range(3)]
    assert [each.status for each in answers] == [404, 404, 429]
    assert answers[2].headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    assert emulated.get().status == 200
