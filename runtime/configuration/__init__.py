"""Where the settings of a run come from: configuration files, hardware presets, and what a run leaves for the next."""
