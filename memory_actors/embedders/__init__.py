"""What turns texts into unit vectors: hashed features, the int8 MiniLM, sentence-transformers, and a shared cache."""
