"""Simulators: physics engines behind one interface, and tasks as pure torch functions."""
