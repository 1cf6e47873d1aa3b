"""Agents, trainers and what lies between them."""
