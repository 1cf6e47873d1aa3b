"""Evaluation of trained agents: whole episodes, their statistics, and evaluations during a training."""
