"""What all requests share: keys, parameters, lists, idempotency, limits, faults."""
