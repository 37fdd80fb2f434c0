"""A picture becomes a network's input: found, read, turned upright, resampled, normalised."""
