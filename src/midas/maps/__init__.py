"""What comes out of a network: a map of values, as numbers, as colours and as a file under a name of its own."""
