"""A small closed world of agents who hold, tell, hear and are asked about claims."""
