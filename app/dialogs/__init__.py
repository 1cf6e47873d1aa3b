"""Dialogs of the editor. They open without blocking: each calls back when it is answered."""
