"""Task files of ours for LIBERO, in its language."""
