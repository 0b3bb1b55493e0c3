"""Entry of ``python -m guildmark``."""

from guildmark.cli import main

if __name__ == "__main__":
    main()
