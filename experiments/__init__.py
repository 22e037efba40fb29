"""What is asked: studies, metrics, reports, benchmarks and the command line."""

if __name__ != "simonides.experiments":
    raise ImportError(
        f"This folder was imported as {__name__!r}, which would make a second copy of the registries. "
        "Import it as 'simonides.experiments' (pip install -e .), and do not put the checkout's root on sys.path."
    )
