"""Live plots of a run's metrics. What needs no Qt (table, reduction, smoothing, labels) lies apart from the widgets."""
