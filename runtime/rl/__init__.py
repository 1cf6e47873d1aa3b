"""Reinforcement-learning mathematics as pure torch: no nodes, no files, no global state."""
