"""The desktop program and the `dnne` command; the only package that may import Qt."""
