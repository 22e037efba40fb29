"""Multi-session dialogue: a common form, the environment that tells and asks it, a generator and loaders."""
