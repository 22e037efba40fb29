"""Where agents act: environments by family, and adapters for PettingZoo and Gymnasium."""

if __name__ != "simonides.envs":
    raise ImportError(
        f"This folder was imported as {__name__!r}, which would make a second copy of the registries. "
        "Import it as 'simonides.envs' (pip install -e .), and do not put the checkout's root on sys.path."
    )
