"""Three dimensions from predictions: a picture's scene files, and depth for reconstructions of many pictures."""
