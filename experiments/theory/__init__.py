"""Simulations against the laws that they must follow: the references, the comparison, and its page."""
