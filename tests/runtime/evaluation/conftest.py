from tests.commands import dnne, folder, small, start

__all__ = ["dnne", "folder", "small", "start"]
