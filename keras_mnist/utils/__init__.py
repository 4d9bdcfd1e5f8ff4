"""What every room uses: files that appear whole, lazy imports, the screen, signals, facts about the machine."""
