"""A simulated Android phone: views, activities, tasks, intents, apps with databases, its clock and its pixels."""
