"""The gate before the Hub: what may leave the machine, whether it may, and how it goes."""
