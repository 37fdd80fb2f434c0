"""One reader per on-disk layout."""
