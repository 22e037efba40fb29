"""Memory systems made for long dialogue."""
