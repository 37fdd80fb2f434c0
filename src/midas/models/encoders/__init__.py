"""Encoders: from normalised pixels to feature maps."""
