"""What acts: policies, readers, models and attacks."""

if __name__ != "simonides.agents":
    raise ImportError(
        f"This folder was imported as {__name__!r}, which would make a second copy of the registries. "
        "Import it as 'simonides.agents' (pip install -e .), and do not put the checkout's root on sys.path."
    )
