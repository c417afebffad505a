"""The outside systems of SSS Portal, simulated: one world in one process, over the real protocols."""
