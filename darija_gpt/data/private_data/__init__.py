"""What `darija_gpt.data.privacy` finds private data by: a module for each kind, and for each step of the search."""
