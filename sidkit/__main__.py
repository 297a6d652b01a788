"""The command line without its script: `python -m sidkit --help`."""

from sidkit.cli.main import main

if __name__ == "__main__":
    main()
