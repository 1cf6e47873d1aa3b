"""What stands around the canvas: palette, inspector, problems, help. Each listens to the session, none to another."""
