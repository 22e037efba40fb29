"""Defences of memory: each a file, each a class that fits `simonides.sim.defences.Defence`, found by its name."""
