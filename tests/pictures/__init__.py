"""Pictures of digits that users might bring, drawn by a script, and how many of them a network reads."""
