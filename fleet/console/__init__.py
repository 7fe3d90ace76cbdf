"""The console: what people see of the fleet in a browser. What it says is decided by pure modules, `words` first."""
