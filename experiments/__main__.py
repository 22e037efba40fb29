"""Run the command line as `python -m simonides.experiments`."""

import sys

from simonides.experiments.cli import main

if __name__ == "__main__":
    sys.exit(main())
