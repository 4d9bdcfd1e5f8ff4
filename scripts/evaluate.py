"""Score a trained model: python scripts/evaluate.py --model runs/mnist/bn_gap/seed0/model.keras"""

from pathlib import Path

from keras_mnist import cli


def main():
    parser = cli.parser("Score a model on all test images of a data set.")
    parser.add_argument("--model", required=True, type=Path, metavar="PATH", help="a .keras file, such as a run's")
    cli.add_data_flags(parser)
    chosen = parser.parse_args()
    cli.require_file(chosen.model)
    cli.import_tensorflow()

    from rich.console import Console

    from keras_mnist.data.sources import load
    from keras_mnist.results.evaluation import evaluate, load_model
    from keras_mnist.results.tables import facts_table

    model = load_model(chosen.model)
    digits = load(chosen.dataset, chosen.data_dir, chosen.mnist_archives)
    score = evaluate(model, digits)
    facts = {
        "data set": f"{score.dataset}, {score.images:,} test images",
        "accuracy": f"{score.accuracy:.2%} ({score.errors} misread)",
        "loss": f"{score.loss:.4f}",
    }
    Console().print(facts_table(str(chosen.model), facts))


if __name__ == "__main__":
    cli.main(main)
