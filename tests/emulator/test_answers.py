"""Errors and headers as they were observed at Stripe; what is not known is a switch."""

import pytest
from emulator.client import KEY, METERS, PRICES, account, meter

from reconciler.emulator import Fault, Key, parse_key
from reconciler.emulator.messages import Request

FORM = "application/x-www-form-urlencoded"


def test_a_missing_price_is_the_parameter_price():
    """Other objects are the parameter id."""
    emulated = account()
    for path in (f"{PRICES}/price_1", f"{METERS}/mtr_1"):
        error = emulated.get(path).error
        assert (error["code"], error["param"]) == (
            "resource_missing",
            "price" if "price" in path else "id",
        )


def test_both_cursors_at_once_have_neither_code_nor_param():
    """A cursor that does not exist is found first."""
    emulated = account()
    one, other = (emulated.post(**meter(name)).json["id"] for name in "ab")
    error = emulated.get(starting_after=one, ending_before=other).error
    assert set(error) == {"message", "type", "request_log_url"}
    for wrong in ({"starting_after": "mtr_9", "ending_before": other}, {"ending_before": "mtr_9"}):
        error = emulated.get(**{"starting_after": one} | wrong).error
        assert error["code"] == "resource_missing"


def test_an_expansion_in_a_list_hints_at_data():
    emulated = account()
    for path, field in ((METERS, "default_aggregation"), ("/v1/events", "request")):
        message = emulated.get(path, expand=[field]).error["message"]
        assert f"expanding 'data.{field}' instead." in message
    assert "expanding" not in emulated.get(expand=["nonsense"]).error["message"]


@pytest.mark.parametrize("key", ["pk_test_1", "pk_live_1"])
def test_a_publishable_key_is_told_from_an_unknown_one(key):
    emulated = account()
    emulated.headers["authorization"] = f"Bearer {key}"
    response = emulated.get()
    assert (response.status, response.error["code"]) == (401, "secret_key_required")
    assert "publishable API key" in response.error["message"]
    assert "request_log_url" not in response.error


@pytest.mark.parametrize(
    ("version", "refused"),
    [
        ("2026-09-30.endive", False),
        ("2020-08-27", False),
        ("2026-10-14.preview", False),
        ("2025-03-31.basil; feature_beta=v1", False),
        ("2026-08-26.clover", True),
        ("2024-10-28", True),
        ("2020-08-28", True),
    ],
)
def test_an_unknown_version_is_refused_by_switch(version, refused):
    for setting in ("accept", "refuse"):
        emulated = account(unknown_version=setting)
        emulated.headers["stripe-version"] = version
        response = emulated.get()
        assert response.status == (400 if refused and setting == "refuse" else 200)
        if response.status == 400:
            assert response.error["message"] == f"Invalid Stripe API version: {version}"


def test_a_key_that_was_used_on_another_path_is_refused():
    """By a message that names both paths."""
    emulated = account()
    path = emulated.create()
    emulated.post(f"{path}/deactivate", key="k")
    error = emulated.post(f"{path}/reactivate", key="k").error
    assert error["type"] == "idempotency_error"
    assert f"('{path}/deactivate' vs '{path}/reactivate')" in error["message"]
    error = emulated.post(f"{path}/deactivate", key="k", expand=["status_transitions"]).error
    assert "same parameters" in error["message"]


def test_the_scope_of_an_idempotency_key():
    """The account, or by switch the API key in it; no secret is kept with it."""
    keys = (Key("sk_test_one"), Key("sk_test_two"))
    for scope, replayed in (("account", True), ("key", False)):
        emulated = account(keys=keys, key_scope=scope)
        answers = []
        for key in keys:
            emulated.headers["authorization"] = f"Bearer {key.secret}"
            answers.append(emulated.post(key="k", **meter()))
        assert answers[1].replayed is replayed
        assert answers[1].headers["Idempotency-Key"] == "k"
        assert emulated.post(key="k", **meter()).replayed
        assert "sk_test" not in "".join(emulated.state.ledger.replies)


def test_an_error_names_the_log_of_its_request():
    """Also a stored one: that of the first request."""
    emulated = account()
    first = emulated.post(key="k", display_name="x")
    assert emulated.post(key="k2", **meter("a")).status == 200
    request_id = first.headers["Request-Id"]
    url = first.error["request_log_url"]
    assert url == f"https://dashboard.stripe.com/test/logs/{request_id}?t={int(emulated.now)}"
    refused = [emulated.post(key="k3", **meter("a")) for _ in range(2)]
    assert refused[1].replayed
    assert refused[0].body == refused[1].body
    live = account(seed={"account": {"id": "acct_1", "livemode": True}})
    live.headers["authorization"] = "Bearer sk_live_1"
    assert ".com/logs/req_" in live.get("/v1/nope").error["request_log_url"]


def test_a_stored_answer_names_the_first_request():
    """And advises against a retry, unless it is a 500; by switch it does not."""
    emulated = account(Fault.parse("500:after:post=3"))
    first, again = (emulated.post(key="k", **meter()) for _ in range(2))
    for answer in (first, again):
        assert answer.headers["Original-Request"] == first.headers["Request-Id"]
        assert answer.headers["Stripe-Should-Retry"] == "false"
    failed = emulated.post(key="k2", **meter("b"))
    assert failed.status == 500
    assert "Stripe-Should-Retry" not in failed.headers
    assert emulated.post(key="k2", **meter("b")).headers["Original-Request"]
    for answer in (emulated.get(), emulated.post(**meter("c"))):
        assert not {"Original-Request", "Stripe-Should-Retry"} & set(answer.headers)
    quiet = account(should_retry="off").post(key="k", **meter())
    assert "Original-Request" in quiet.headers
    assert "Stripe-Should-Retry" not in quiet.headers


@pytest.mark.parametrize(
    ("setting", "kind", "body", "status"),
    [
        ("required", None, b"", 400),
        ("required", FORM, b"", 200),
        ("required", f"{FORM}; charset=utf-8", b"", 200),
        ("body", None, b"", 200),
        ("body", None, b"expand[]=status_transitions", 400),
        ("optional", None, b"expand[]=status_transitions", 200),
        ("optional", "application/json", b"{}", 400),
    ],
)
def test_a_post_needs_a_content_type(setting, kind, body, status):
    emulated = account(content_type=setting)
    path = emulated.create()
    headers = KEY | ({"content-type": kind} if kind else {})
    response = emulated.ask(Request("POST", f"{path}/deactivate", "", headers, body))
    assert response.status == status
    if status == 400:
        assert ("has no Content-Type" in response.error["message"]) is (kind is None)
    assert emulated.ask(Request("GET", path, "", KEY)).status == 200


def test_parallel_requests_may_be_limited():
    """Of each call; they are not stored, and have no advice."""
    emulated = account(parallel_limit=2)
    path = emulated.create()
    first, second = (emulated.begin(emulated.posting(key=name, **meter(name))) for name in "ab")
    refused = emulated.post(key="c", **meter("c"))
    assert (refused.status, refused.error["code"]) == (429, "rate_limit")
    assert refused.headers["Stripe-Rate-Limited-Reason"] == "endpoint-concurrency"
    assert not {"Retry-After", "Stripe-Should-Retry"} & set(refused.headers)
    assert emulated.get(path).status == 200
    assert emulated.finish(first).status == 200
    assert emulated.post(key="c", **meter("c")).status == 200
    assert emulated.finish(second).status == 200
    assert +emulated.state.running == {}


def test_a_limit_out_of_range_is_clamped_by_switch():
    for setting in ("refuse", "clamp"):
        emulated = account(limit_range=setting)
        for n in range(2):
            emulated.create(f"m{n}")
        for limit, shown in ((0, 1), (101, 2)):
            response = emulated.get(limit=limit)
            if setting == "refuse":
                assert response.error["code"] == "parameter_invalid_integer"
            else:
                assert len(response.ids) == shown


def test_the_older_text_of_a_403():
    """It names the permission as restricted keys of the time did, also in an option."""
    key = parse_key("rk_test_reader123456=rak_plan_read")
    for setting in ("newer", "older"):
        emulated = account(keys=(key,), denied_text=setting)
        emulated.headers["authorization"] = f"Bearer {key.secret}"
        assert emulated.get(PRICES).status == 200
        response = emulated.get()
        message = response.error["message"]
        assert response.status == 403
        assert "on account 'acct_1EmulatedAccount'." in message
        assert message.startswith("Permission denied. ") is (setting == "newer")
        older = "Having the 'rak_billing_meter_read' permission would allow this request to "
        assert (older in message) is (setting == "older")


def test_the_permission_to_read_thin_events_varies():
    """On the list and on one of them; that of the events of v1 stays."""
    key = Key("rk_test_reader123456", frozenset({"event_read"}))
    for setting, status in (("event_read", 200), ("billing_meter_event_read", 403)):
        emulated = account(keys=(key,), core_events_permission=setting)
        emulated.headers["authorization"] = f"Bearer {key.secret}"
        assert emulated.get("/v2/core/events").status == status
        assert emulated.get("/v2/core/events/evt_1").status == (404 if status == 200 else 403)
        assert emulated.get("/v1/events").status == 200


def test_the_permission_to_read_alerts_varies():
    """On the list and on one of them; meters stay readable."""
    key = Key("rk_test_reader123456", frozenset({"billing_meter_read"}))
    for setting, status in (("billing_meter_read", 200), ("billing_meter_event_read", 403)):
        emulated = account(keys=(key,), alerts_permission=setting)
        emulated.headers["authorization"] = f"Bearer {key.secret}"
        assert emulated.get("/v1/billing/alerts").status == status
        assert emulated.get("/v1/billing/alerts/alrt_1").status == (404 if status == 200 else 403)
        assert emulated.get("/v1/billing/meters").status == 200


def test_the_permission_to_read_the_account_varies():
    key = Key("rk_test_reader123456", frozenset({"accounts_kyc_id_numbers_read"}))
    for setting, status in (("kyc_basic", 403), ("kyc_id_numbers", 200)):
        emulated = account(keys=(key,), account_permission=f"accounts_{setting}_read")
        emulated.headers["authorization"] = f"Bearer {key.secret}"
        response = emulated.get("/v1/account")
        assert response.status == status
        assert status == 200 or "accounts_kyc_basic_read" in response.error["message"]
