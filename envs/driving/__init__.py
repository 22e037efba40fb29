"""Driving where memory decides the route: trips over named junctions, in highway-env and in MetaDrive."""
