"""Measurements that README and recipes quote: one module for each, run by scripts/benchmark.py."""
