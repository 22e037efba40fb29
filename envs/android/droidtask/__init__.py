"""Recorded Android apps (DroidTask), replayed as an environment where exploration is remembered."""
