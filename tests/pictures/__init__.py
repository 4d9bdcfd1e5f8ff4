"""Pictures that users might bring, drawn by a script, and how many of their digits a network predicts rightly."""
