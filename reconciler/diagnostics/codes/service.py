"""Rules S: Stripe's responses, the API key and the network."""

from __future__ import annotations

from ..diagnostic import Level, Rule

KEY_MISSING = Rule(
    "S001",
    "the API key is missing",
    "The key is read from the environment variable that the account names (`api_key_env`), never "
    "from a file, so that no key ends up in a repository.",
    "set the variable to a secret or restricted key from https://dashboard.stripe.com/apikeys",
)
KEY_MALFORMED = Rule(
    "S002",
    "not a secret API key",
    "Secret and restricted keys begin with sk_ or rk_. Nothing else is sent, since a file may "
    "name any variable as that of a key; nor is what no header can hold, such as a line break.",
    "copy the secret or restricted key again, without quotes, spaces or line breaks",
)
KEY_REJECTED = Rule(
    "S003",
    "Stripe rejected the API key",
    "The key was rolled, has expired, was deleted, or is of another mode (HTTP 401).",
    "check the key and its mode: https://dashboard.stripe.com/apikeys",
)
PERMISSION_MISSING = Rule(
    "S004",
    "the API key lacks a permission",
    "A restricted key only has the permissions it was given (HTTP 403). Reading meters needs "
    "rak_billing_meter_read, writing them rak_billing_meter_write, prices rak_plan_read, "
    "events rak_event_read. Sending usage needs rak_billing_meter_event_write, reading it "
    "rak_billing_meter_event_read.",
    "add the permission to the restricted key, or use another key",
)
UNSAFE_ADDRESS = Rule(
    "S005",
    "the API address is not safe",
    "The key is sent with every request, so the address must be https. http is allowed only "
    "for loopback addresses, for the emulator. A file may name Stripe and loopback addresses "
    "only: anyone who proposes a change of a file could otherwise obtain the key. Another https "
    "host must also be named in the environment variable RECONCILER_ALLOW_API_BASE.",
    "use https://api.stripe.com, or http://127.0.0.1:PORT for the emulator",
)
INVALID_HEADER = Rule(
    "S006",
    "a value cannot be sent as a header",
    "Account ids, contexts, versions and idempotency keys are sent as headers: printable ASCII "
    "without spaces.",
    "check the account's stripe_account and stripe_context",
)
INVALID_ID = Rule(
    "S007",
    "not the id of a meter",
    "The id is part of the URL. An empty id, or one with an unusual character such as `/`, "
    "could address another object.",
    "copy the id from `reconciler list`",
)
ACCOUNT_DENIED = Rule(
    "S008",
    "the API key has no access to the account",
    "The account of `stripe_account` or `stripe_context` does not exist, is not connected to the "
    "account of the key, or has revoked its access (HTTP 403). No permission of a restricted key "
    "changes that.",
    "check stripe_account or stripe_context, and that the key is the platform's, in the same mode",
)
UNREACHABLE = Rule(
    "S010",
    "Stripe is not responding",
    "The connection failed, was closed, or timed out. A request that writes may have had an "
    "effect: only reading the account again shows it.",
    "check the network, the proxy variables and https://status.stripe.com, then run again",
)
TLS_FAILED = Rule(
    "S011",
    "the TLS connection failed",
    "The server's certificate could not be verified, so nothing was sent to it.",
    "check the clock of this machine; if a proxy inspects TLS, set SSL_CERT_FILE or "
    "REQUESTS_CA_BUNDLE to its certificate authority",
)
TOO_SLOW = Rule(
    "S012",
    "the response timed out",
    "A response must be complete within a deadline, even if data keeps arriving.",
    "run again; if it happens every time, check the proxy",
)
CA_BUNDLE = Rule(
    "S013",
    "the CA bundle cannot be used",
    "REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR name the certificate "
    "authorities to trust; the first of them that is set counts. Without them the server cannot be "
    "verified, so nothing was sent.",
    "correct the variable, or unset it",
)
NOT_JSON = Rule(
    "S020",
    "the response is not JSON",
    "A proxy or gateway answered instead of Stripe, or the response was cut off.",
    "check api_base and the proxy variables, then run again",
)
UNEXPECTED_RESPONSE = Rule(
    "S021",
    "the response does not match the API",
    "A field is missing, has another type, or has a value that cannot be used safely.",
    "check api_base; report the request id to Stripe if it is right",
)
TOO_LARGE = Rule(
    "S022",
    "the response is too large",
    "Responses larger than the limit are not read, to limit memory use.",
    "check api_base and the proxy variables",
)
REDIRECTED = Rule(
    "S023",
    "the response is a redirect",
    "Stripe's API does not redirect, and following one could send the key elsewhere.",
    "check api_base and the proxy variables",
)
ENDLESS_LIST = Rule(
    "S024",
    "a list does not end",
    "A page announced more entries, but the next one was empty or repeated earlier ones, or the "
    "list exceeds a limit: 1,000,000 entries, 10,000 pages, 1 GiB, or an hour of requests.",
    "run again; report the request id to Stripe if it happens again",
)
BAD_REQUEST = Rule(
    "S030",
    "Stripe rejected the request",
    "Stripe returned a 4xx error that a retry cannot fix; its message says why.",
    "read Stripe's message; find the request id in the Dashboard's request log",
)
NOT_FOUND = Rule(
    "S031",
    "no such object in this account",
    "The id is wrong, or belongs to another account or to the other mode (HTTP 404).",
    "check the id, the account and the mode of the key",
)
IDEMPOTENCY = Rule(
    "S032",
    "the idempotency key was used for something else",
    "An idempotency key identifies one request with one set of parameters for at least a day.",
    "omit the idempotency key, or use a new one",
)
CONFLICT = Rule(
    "S033",
    "another request is in progress",
    "Another request with the same idempotency key, or on the same object, is in progress "
    "(HTTP 409).",
    "wait a moment and run again",
)
RATE_LIMITED = Rule(
    "S034",
    "rate-limited by Stripe",
    "All clients of an account share its rate limit, including its checkout.",
    "wait, or lower `rate_limit` of the account",
)
SERVER_FAILED = Rule(
    "S035",
    "Stripe returned an error",
    "After a 5xx response, a request that writes may have had an effect: only reading the account "
    "again shows it.",
    "see https://status.stripe.com, then run again",
)
RATE_LIMIT_TOO_HIGH = Rule(
    "S036",
    "`rate_limit` is higher than the account allows",
    "Stripe rejected requests of this run by the account's rate limit. The run slowed down to what "
    "was accepted and went on, but others that use the account, its checkout too, may have been "
    "rejected meanwhile.",
    "lower `rate_limit` of the account in the project file",
    Level.WARNING,
)
STOPPED = Rule(
    "S040",
    "the run was interrupted",
    "After an interrupt, requests in progress are finished and no new one is sent.",
    "run the command again: every run starts from the current state of the account",
)
CLOCK_WRONG = Rule(
    "S041",
    "the clock of this machine is wrong",
    "The age of saved plans, the reach of events and how long a meter has been inactive are "
    "counted by this clock, and certificates are checked by it. Stripe rejects usage that is dated "
    "more than five minutes ahead.",
    "synchronize the clock of this machine",
    Level.WARNING,
)
OTHER_VERSION = Rule(
    "S042",
    "responses have another API version",
    "Every request names the version of the API whose responses this version of the tool reads. "
    "Something between this machine and Stripe, or an emulator, uses another one.",
    "remove what changes the `Stripe-Version` header, or use a newer version of the tool",
    Level.WARNING,
)
CONTEXT_MISSING = Rule(
    "S043",
    "an organization key needs an account",
    "A key that begins with sk_org_ is valid for several accounts, so Stripe requires a context in "
    "every request.",
    "set `stripe_context` of the account in the project file, or use a key of the account itself",
)
INVALID_EVENT = Rule(
    "S045",
    "the usage cannot be sent",
    "A meter event has an event_name, an identifier that is not empty (Stripe would count an event "
    "without one again if it were repeated), and a payload of whole numbers, Decimals or strings. "
    "Floats are not exact, and a time without a time zone could be any. Nothing was sent.",
    "correct the event",
)
DUPLICATE_EVENT = Rule(
    "S046",
    "an event with this identifier exists",
    "Stripe counts an identifier once in at least 24 hours, and refused to count it again "
    "(HTTP 400). If the same event was sent before, by a call that failed, it has arrived.",
    "use a new identifier, if this is other usage",
)
