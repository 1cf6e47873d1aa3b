"""Transforms of observations."""
