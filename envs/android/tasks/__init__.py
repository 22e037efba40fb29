"""Long tasks across the apps of the simulated phone, in which facts seen early decide what is done late."""
