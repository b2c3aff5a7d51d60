"""What a model knows, what it says, and what it gives away, in numbers."""
