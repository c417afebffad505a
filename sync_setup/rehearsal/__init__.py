"""The same code against the bundled simulator, over the real protocols: for rehearsal, demo and tests."""
