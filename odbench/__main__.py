"""``python -m odbench`` is ``odbench``."""

from odbench.cli import main

if __name__ == "__main__":
    main()
