"""Android: a simulated device, its apps, the ways to reach it, tasks for agents, and recorded apps."""
