"""`python -m sidkit.cli`, the same as `python -m sidkit`."""

from sidkit.cli.main import main

if __name__ == "__main__":
    main()
