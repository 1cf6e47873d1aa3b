"""What stands around the canvas: palette, inspector, problems and help. Each listens to the session; none knows another."""
