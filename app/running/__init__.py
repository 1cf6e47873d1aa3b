"""Running the graph on the canvas: hosts of the engine, their settings, and what the window shows of a run."""
