"""The command line: python -m keras_mnist train --variant bn_gap, or keras-mnist train, or scripts/train.py."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports below without their traceback

import difflib
import importlib
import pkgutil
import sys
import typing

from keras_mnist import cli, commands
from keras_mnist.errors import UsageError


def main(command: str | None = None) -> typing.NoReturn:
    """Run a command and exit; None: the one that the first argument names."""
    if command is None:
        sys.argv[0] = "keras-mnist"  # what errors begin with; python -m says __main__.py
        cli.exit_after(lambda: _dispatch(sys.argv[1:]))
    cli.exit_after(lambda: _run(command, sys.argv[1:], f"{command}.py"))


def _dispatch(arguments: list[str]) -> None:
    known = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: keras-mnist COMMAND [--help]\n\nVery small MNIST networks: train, look inside, take away.\n")
        for name in known:
            print(f"  {name:10} {_module(name).__doc__.strip()}")
        return
    if arguments[0] == "--version":
        import importlib.metadata  # which takes its time at every start

        print(f"keras-mnist {importlib.metadata.version('keras-mnist')}")
        return
    if arguments[0] not in known:
        close = difflib.get_close_matches(arguments[0], known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}; see keras-mnist --help"
        raise UsageError(f"no command {arguments[0]!r}; {hint}")
    _run(arguments[0], arguments[1:], f"keras-mnist {arguments[0]}")


def _run(command: str, arguments: list[str], program: str) -> None:
    module = _module(command)
    parser = cli.parser(program, module.__doc__.strip())
    module.add_arguments(parser)
    cli.FLAGS.update(flag for action in parser._actions for flag in action.option_strings)
    module.run(parser.parse_args(arguments))


def _module(command: str):
    return importlib.import_module(f"{commands.__name__}.{command}")


if __name__ == "__main__":
    main()
