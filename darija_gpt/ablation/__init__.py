"""Recipes compared: several runs of each, at equal tokens and parameters, and a table that says what they show."""
