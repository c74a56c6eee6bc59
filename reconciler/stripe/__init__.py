"""A client of the Stripe API, usable on its own.

    client       ──▶ pagination ──▶ transport ──▶ http ──▶ the network
    meter_writer ──▶ client           │   │
    async_client ──▶ client        retry rate_limit     (decisions: no clock, no socket)

`codec` converts between nouns and the API's shapes, `response` a response into a reply or one of
`errors`.
"""
