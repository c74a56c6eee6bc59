"""Many accounts as one: which have the same result, and which change is in how many of them."""
