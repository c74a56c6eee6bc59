"""Clients of meter events: usage, on its way to the meters.

    client, v2_client ──▶ objects ──▶ values     (what is sent, and its text)
        │         └─────▶ session                (of a stream)
        └──▶ receipt                             (an event that had arrived already)

The requests and their retries are those of `stripe.transport`.
"""
