"""Worlds in which an infection passes between agents: by pairs that draw lots, or along a network's links."""
