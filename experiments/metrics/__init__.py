"""Metrics to the digit: pure functions over plain values, each defined as its benchmark's authors define it."""
