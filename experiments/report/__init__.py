"""The report of a run: figures, tables and a page per trial in one self-contained HTML file."""
