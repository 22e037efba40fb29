"""What remembers: memory systems, indexes, embedders, defences and wirings."""

if __name__ != "simonides.memory_actors":
    raise ImportError(
        f"This folder was imported as {__name__!r}, which would make a second copy of the registries. "
        "Import it as 'simonides.memory_actors' (pip install -e .), and do not put the checkout's root on sys.path."
    )
