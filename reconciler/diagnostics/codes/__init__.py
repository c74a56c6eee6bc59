"""The rules of all diagnostics, one module for each area.

Letters: Y reading YAML, C configuration, U usage, S Stripe's responses and the network,
P planning, G guards, A applying, D drift, R readiness, N generated code,
H code hosts, M reports of many accounts, J the journal, E this machine (files, emulator).
"""
