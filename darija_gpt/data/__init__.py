"""From chat exports to a dataset. Nothing in here imports torch or knows of a model."""
