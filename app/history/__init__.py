"""The history of runs: what lies in their folders, what differs between them, and the panel that lists them."""
