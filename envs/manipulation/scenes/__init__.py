"""The MJCF parts of which scenes are put together: an arm, a lidded bin, a cup."""
