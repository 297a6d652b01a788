"""The command line: `sidkit --help`."""
