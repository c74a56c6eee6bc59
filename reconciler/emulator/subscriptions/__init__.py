"""Subscriptions: their items, their periods, and how their status changes with time."""
