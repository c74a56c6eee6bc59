"""What depends on meters beside prices: billing alerts and subscriptions."""
