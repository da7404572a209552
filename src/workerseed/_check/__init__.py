"""The command ``workerseed check``: lets all workers of a loader load the same items, and compares their draws."""
