"""MuJoCo, by whichever of its ways to step many models is installed."""
