"""The tests mirror the tree; `python -m tests.benchmarks` runs the benchmarks."""
