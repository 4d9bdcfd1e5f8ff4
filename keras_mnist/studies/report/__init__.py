"""The report: documents, results.csv and the page, all made from records.

A section is one function with the decorator `section`, in one of the files below: their order is the page's.
"""

# isort: off
# ruff: noqa: F401
from keras_mnist.studies.report import claims
from keras_mnist.studies.report import accuracies
from keras_mnist.studies.report import differences
from keras_mnist.studies.report import size
from keras_mnist.studies.report import speed
from keras_mnist.studies.report import overfitting
from keras_mnist.studies.report import curves
from keras_mnist.studies.report import digits
from keras_mnist.studies.report import leaderboard
from keras_mnist.studies.report import missing
from keras_mnist.studies.report import provenance
from keras_mnist.studies.report import networks
from keras_mnist.studies.report import benchmarks
from keras_mnist.studies.report import formats
from keras_mnist.studies.report import tuning
from keras_mnist.studies.report import frontier
from keras_mnist.studies.report import pictures
from keras_mnist.studies.report import evaluation
