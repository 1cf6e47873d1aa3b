"""What `make bench` measures; docs/benchmarks.md has the figures and how they came about."""
