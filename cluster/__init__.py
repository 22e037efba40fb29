"""Where things run on many processes: thin Ray hosts around plain classes."""

if __name__ != "simonides.cluster":
    raise ImportError(
        f"This folder was imported as {__name__!r}, which would make a second copy of the registries. "
        "Import it as 'simonides.cluster' (pip install -e .), and do not put the checkout's root on sys.path."
    )
