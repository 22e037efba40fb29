"""Ways of getting false content into memory, one a file; see `simonides.sim.attacks`."""
