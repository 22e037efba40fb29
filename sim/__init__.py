"""The kernel: logical time, lineage, spaces, the loop, traces and studies. It knows no Ray, model or simulator."""

if __name__ != "simonides.sim":
    raise ImportError(
        f"This folder was imported as {__name__!r}, which would make a second copy of the registries. "
        "Import it as 'simonides.sim' (pip install -e .), and do not put the checkout's root on sys.path."
    )
