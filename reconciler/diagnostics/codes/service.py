"""Rules S: Stripe's answers, the key and the network."""

from __future__ import annotations

from ..diagnostic import Rule

KEY_MISSING = Rule(
    "S001",
    "the API key is missing",
    "A key is read from the environment variable that the account names (`api_key_env`), never "
    "from a file, so that no key ends up in a repository.",
    "set the variable to a secret or restricted key from https://dashboard.stripe.com/apikeys",
)
KEY_MALFORMED = Rule(
    "S002",
    "this cannot be a secret API key",
    "Secret and restricted keys start with sk_ or rk_ and hold letters, digits and underscores "
    "only. Anything else was cut off, pasted with a line break, or is a key of another kind.",
    "copy the secret or restricted key again, without quotes, spaces or line breaks",
)
KEY_REFUSED = Rule(
    "S003",
    "Stripe does not accept the API key",
    "The key was rolled, has expired, was deleted, or belongs to another mode (HTTP 401).",
    "check the key, and that it is of the account's mode: https://dashboard.stripe.com/apikeys",
)
PERMISSION_MISSING = Rule(
    "S004",
    "the API key may not do this",
    "A restricted key holds only the permissions that it was given (HTTP 403). Reading meters "
    "takes rak_billing_meter_read, writing them rak_billing_meter_write, prices rak_plan_read, "
    "events rak_event_read.",
    "add the permission to the restricted key, or use another key",
)
ADDRESS_REFUSED = Rule(
    "S005",
    "the API address cannot be used safely",
    "A key is sent with every request, so only https is spoken; http only to this very machine "
    "(a loopback address), for the emulator.",
    "use https://api.stripe.com, or http://127.0.0.1:PORT for the emulator",
)
HEADER_REFUSED = Rule(
    "S006",
    "a value cannot be sent as a header",
    "Account ids, contexts, versions and idempotency keys travel in headers and may hold "
    "printable ASCII without spaces only.",
    "check the account's stripe_account and stripe_context",
)
ID_REFUSED = Rule(
    "S007",
    "this cannot be the id of a meter",
    "An id becomes a part of the request's address. One that is empty, or holds a slash or "
    "another unusual character, would address something else.",
    "copy the id from `reconciler list`",
)
UNREACHABLE = Rule(
    "S010",
    "no answer came",
    "The connection failed, was cut, or took too long. Whether a request that writes had an "
    "effect cannot be known from this alone: the account has to be read again.",
    "check the network, the proxy variables and https://status.stripe.com, then run again",
)
UNTRUSTED = Rule(
    "S011",
    "the secure connection could not be made",
    "The server's certificate could not be verified, so nothing was sent to it.",
    "check the clock of this machine; behind an inspecting proxy, name its certificate "
    "authority in REQUESTS_CA_BUNDLE",
)
TOO_SLOW = Rule(
    "S012",
    "the answer took too long",
    "An answer has to be complete within a deadline, however steadily it drips.",
    "run again; if it happens every time, look for a proxy in between",
)
GARBLED = Rule(
    "S020",
    "the answer is not JSON",
    "Something between here and Stripe answered in its place, or the answer was cut off.",
    "check api_base and the proxy variables, then run again",
)
UNPROMISED = Rule(
    "S021",
    "the answer is not what the API promises",
    "A field is missing, has another type, or holds a value that cannot be used safely.",
    "check api_base; report the request id to Stripe if it is right",
)
TOO_LARGE = Rule(
    "S022",
    "the answer is larger than any that the API gives",
    "Answers above the size limit are not read, so that nothing can fill the memory.",
    "check api_base and the proxy variables",
)
REDIRECTED = Rule(
    "S023",
    "the answer is a redirect",
    "Stripe's API does not redirect, and following one could carry the key elsewhere.",
    "check api_base and the proxy variables",
)
ENDLESS_LIST = Rule(
    "S024",
    "a list does not end",
    "A page said that there is more, but the next one repeated an earlier place, was empty, or "
    "there were more pages than any account has.",
    "run again; report the request id to Stripe if it happens again",
)
BAD_REQUEST = Rule(
    "S030",
    "Stripe refuses the request",
    "Stripe answered with a 4xx that another try cannot change; its message says why.",
    "read Stripe's message; the request id leads to the request in the Dashboard's logs",
)
NOT_FOUND = Rule(
    "S031",
    "the account knows no such object",
    "The id is wrong, or belongs to another account or to the other mode (HTTP 404).",
    "check the id, the account and the mode of the key",
)
IDEMPOTENCY = Rule(
    "S032",
    "the idempotency key was used for something else",
    "A key stands for one request with one set of parameters for at least a day.",
    "leave the key out, or use a new one",
)
CONFLICT = Rule(
    "S033",
    "another request is in the way",
    "Another request with the same idempotency key, or on the same object, is still under way "
    "(HTTP 409).",
    "wait a moment and run again",
)
RATE_LIMITED = Rule(
    "S034",
    "Stripe limits the rate of requests",
    "The account's limit is shared by everything that uses it, the checkout included.",
    "lower the account's rate_limit, or run again later",
)
SERVER_FAILED = Rule(
    "S035",
    "Stripe failed to answer",
    "A 5xx answer leaves open whether a request that writes had an effect: the account has to "
    "be read again.",
    "see https://status.stripe.com, then run again",
)
STOPPED = Rule(
    "S040",
    "the run was told to stop",
    "No new request starts after an interrupt; what was under way was waited for.",
    "run again: it starts from what the account holds now",
)
