"""Where vectors and words are found again: exact and approximate vector indexes, BM25, and rank fusion."""
