"""Stand-ins for the outside world over real HTTP: for the tests, the benchmarks and the demo."""
