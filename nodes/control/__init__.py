"""The flow of values through a graph."""
