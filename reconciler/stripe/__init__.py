"""A client of the Stripe API, usable on its own.

    client       ──▶ pagination ──▶ transport ──▶ http ──▶ the network
    meter_writer ──▶ client           │   │
    async_client ──▶ client        retry rate_limit     (decisions: no clock, no socket)
    usage/       ──▶ transport

`codec` encodes parameters and parses JSON, `response` turns a response into a reply or one of
`errors`, `model/request.py` decides what it proves.
"""
