"""Replays: what a policy of asking would have cost in requests and in delay, over histories that are known."""
