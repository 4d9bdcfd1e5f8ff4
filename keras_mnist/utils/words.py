"""Words of messages and tables."""


def counted(number: int, thing: str) -> str:
    """So many of something: 1 image, 2,000 images."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def flags_of(settings: dict[str, object]) -> list[str]:
    """Settings as a command line has them: --seeds, 5."""
    return [str(part) for name, value in settings.items() for part in (f"--{name}", value)]
