"""The two ways to fail: each message is one line that names the value, what was expected, and the remedy."""


class UsageError(ValueError):
    """Wrong use: a name, number, file or combination that cannot be run. Scripts exit with 2."""


class RunError(RuntimeError):
    """A run that was asked for correctly and failed. Scripts exit with 1."""


class Interrupted(RuntimeError):
    """A run stopped by a signal after saving its state. Scripts exit with 128 plus the signal's number."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code
