"""Words of messages and tables."""


def counted(number: int, thing: str) -> str:
    """So many of something: 1 image, 2,000 images."""
    return f"{number:,} {thing}{'s' * (number != 1)}"
