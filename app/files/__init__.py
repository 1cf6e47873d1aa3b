"""Files of the editor: open and save, recent ones, templates, autosave, and what is kept between starts."""
