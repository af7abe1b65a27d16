"""`python -m kessai`: the command line."""

from kessai.cli.main import main

if __name__ == "__main__":
    main()
