"""A run: device, steps, callbacks, state, and the folder that keeps it."""
