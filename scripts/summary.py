"""Show a variant's layers: python scripts/summary.py --variant bn_gap"""

from keras_mnist import cli
from keras_mnist.models.registry import get_variant


def main():
    parser = cli.parser("Print model.summary() of a variant and its trainable parameters.")
    parser.add_argument("--variant", required=True, metavar="NAME", help="the network; train.py --list shows all")
    variant = get_variant(parser.parse_args().variant)
    cli.import_tensorflow()

    from keras_mnist.training.run import summary_text

    print(summary_text(variant.build()), end="")


if __name__ == "__main__":
    cli.main(main)
