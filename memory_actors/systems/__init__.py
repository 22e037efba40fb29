"""Published mechanisms for remembering, one file each, by family."""
