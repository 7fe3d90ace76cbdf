"""The subcommands of `carrel-provision`, a module for each."""
