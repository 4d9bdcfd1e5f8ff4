"""Train variants by their documents' recipes in PyTorch: python scripts/compare.py --variants bn"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports below without their traceback

from keras_mnist.__main__ import main

if __name__ == "__main__":
    main("compare")
