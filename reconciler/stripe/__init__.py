"""The Stripe API as this tool needs it, usable on its own.

    meters ──▶ listing ──▶ transport ──▶ connection ──▶ the network
    writes ──▶ meters        │   │
    aio    ──▶ meters      retry pace       (decisions: no clock, no socket)

`wire` turns nouns into form fields and back, `response` an answer into a reply or one of `errors`.
"""
