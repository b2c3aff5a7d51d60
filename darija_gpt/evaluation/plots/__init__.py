"""Pictures of what a model is and does, each with the numbers behind it."""
