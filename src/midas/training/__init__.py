"""Training: settings, loop, optimizer, state on disk."""
