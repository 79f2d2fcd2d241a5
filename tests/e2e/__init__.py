"""The service as its users meet it: real processes, a real command line, nothing inside touched."""
