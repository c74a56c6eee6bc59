"""The check against Stripe's specification finds what is wrong in an answer."""

import json

import pytest
from clients.openapi import load_spec
from emulator.client import FORM, KEY
from msgspec.structs import replace

from reconciler.emulator.messages import Request

HEADERS = KEY | FORM


@pytest.mark.full
@pytest.mark.parametrize(
    ("body", "field", "wrong"),
    [
        (b"name=Calls", "active", "yes"),
        (b"name=Calls", "metadata", {"a": 1}),
        (b"nam=Calls", "error", {"message": "x"}),
    ],
)
def test_a_wrong_field_is_found(checked, body, field, wrong):
    request = Request("POST", "/v1/products", "", HEADERS, body)
    response = checked.exchange(request)
    assert load_spec().check(request, response) == []
    broken = json.dumps(json.loads(response.body) | {field: wrong})
    (text,) = load_spec().check(request, replace(response, body=broken))
    assert text.startswith(f"POST /v1/products {response.status}: $.{field}")
