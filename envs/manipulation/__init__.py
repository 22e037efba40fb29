"""Embodied manipulation on MuJoCo: arms, lidded bins and objects, where memory decides which one to reach for."""
