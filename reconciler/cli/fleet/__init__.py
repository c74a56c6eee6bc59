"""Runs on many accounts: shards, resumed runs, folders of saved plans."""
