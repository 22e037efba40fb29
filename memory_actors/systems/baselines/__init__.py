"""The usual baselines: what every study compares with."""
