"""Training: the device, one step, the loop over epochs, callbacks, and the state that continues a run."""
