"""Simulated kiosks, faults, the demo and the benchmarks: the only room that may import all others."""
