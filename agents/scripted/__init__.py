"""Policies without a model: readers, experts and claim holders."""
