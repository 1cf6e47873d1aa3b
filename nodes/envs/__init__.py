"""Environments and their steps."""
