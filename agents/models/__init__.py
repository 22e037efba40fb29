"""What answers a prompt: the scripted stand-in, and served or local language models."""
