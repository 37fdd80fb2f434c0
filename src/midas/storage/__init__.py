"""Files that appear complete or not at all, and downloads, each once for all processes."""
