"""How fast, how large and how exact each way of running a model is, on this machine and in one run."""
