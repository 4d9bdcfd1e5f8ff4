"""Predict the digits on pictures: python scripts/predict.py photo.jpg --variant bn_gap"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports below without their traceback

from keras_mnist.__main__ import main

if __name__ == "__main__":
    main("predict")
