"""From a base model to one that people talk to."""
