"""Export a trained model: python scripts/export.py --model runs/mnist/bn_gap/seed0/model.keras"""

from pathlib import Path

from keras_mnist import cli


def main():
    parser = cli.parser("Write a trained model as a SavedModel and compare the two.")
    parser.add_argument("--model", required=True, type=Path, metavar="PATH", help="a .keras file, such as a run's")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to (saved_models/<name of the model>)")
    parser.add_argument("--overwrite", action="store_true", help="replace whatever the folder holds")
    chosen = parser.parse_args()
    cli.require_file(chosen.model)
    cli.import_tensorflow()

    from keras_mnist.results.evaluation import load_model
    from keras_mnist.results.export import export, facts_beside

    model = load_model(chosen.model)
    output = chosen.output or Path("saved_models") / model.name
    difference = export(model, output, facts=facts_beside(chosen.model), overwrite=chosen.overwrite)
    print(f"{output}: SavedModel, largest difference of a probability from {chosen.model}: {difference:.1g}")


if __name__ == "__main__":
    cli.main(main)
