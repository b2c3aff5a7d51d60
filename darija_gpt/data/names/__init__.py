"""People's names in a text: forms of the names of a roster, and what tells them from words."""
