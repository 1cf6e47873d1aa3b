"""Constants, printing and checkpoints."""
