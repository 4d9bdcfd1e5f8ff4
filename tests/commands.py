"""What is done about each command of the pages: it runs here, it runs in another test, or it takes too long."""

MODEL = "runs/mnist/bn_gap/tuned/seed0/model.keras"
EXPORT_C = "python scripts/export.py --variant bn_gap --format c --output bn_gap_c"
TRAIN = "python scripts/train.py --variant bn_gap"
SHOW = "python scripts/predict.py tests/pictures/drawn/unseen/shadow/2.jpg --show docs/answer.png"
SHORT, TRAINED, PREDICTED = "--epochs 1 --batch-size 50", "of 20 digits test images", "predicted by "

# Each with what is added to it, so that it takes seconds, and some of what it prints.
HERE = {
    "keras-mnist --help": ("", "Train a very small MNIST network"),
    SHOW: ("", PREDICTED),
    TRAIN: (SHORT, TRAINED),
    "keras-mnist train --variant bn_gap": (SHORT, TRAINED),
    "python -m keras_mnist train --variant bn_gap": (SHORT, TRAINED),
    "python scripts/train.py --variant swift --recipe fast": (SHORT, TRAINED),
    "python scripts/train.py --variant tiny_8k": (SHORT, TRAINED),
    "python scripts/summary.py --variant bn_gap": ("", "trainable parameters: 7,550"),
    "python scripts/summary.py --variant light_20k": ("", "trainable parameters: 19,210"),
    f"python scripts/evaluate.py --model {MODEL}": ("", "digits, 20 test images"),
    "python scripts/evaluate.py --variant bn_gap": ("", "digits, 20 test images"),
    "python scripts/evaluate.py --variant bn_gap --format json": ("", '"dataset": "digits"'),
    "python scripts/evaluate.py --variant bn_gap --report evaluation": ("", "evaluation/evaluation.html"),
    "python scripts/evaluate.py --variant bn_gap --data my_digits.npz": ("", "my_digits.npz"),
    f"python scripts/export.py --model {MODEL}": ("", "saved_models/bn_gap: saved_model"),
    "python scripts/export.py --variant bn_gap --format onnx": ("", "saved_models/bn_gap.onnx: onnx"),
    EXPORT_C: ("", "bn_gap_c: c"),
    "cc -O2 -c bn_gap_c/bn_gap.c": ("", ""),
    "python scripts/predict.py tests/pictures/drawn/unseen/row/271.jpg": ("", PREDICTED),
    "python scripts/predict.py photo.jpg": ("", PREDICTED),
    "python scripts/predict.py photo.jpg --show answer.png": ("", PREDICTED),
    f"python scripts/predict.py photo.jpg --model {MODEL}": ("", PREDICTED),
    "python scripts/predict.py scans/ --format csv": ("", "scans/2.jpg,1,2,"),
    "python scripts/predict.py tests/pictures/drawn/seen/chalk": ("", PREDICTED),
    "python scripts/page.py --variants bn_gap,swift --output page.html": ("", "page.html: "),
    "python scripts/page.py --variants bn_gap,swift --output docs/demo.html": ("", "docs/demo.html: "),
}
# Those that go on in the folder of another one.
AFTER = {
    "cc -O2 -c bn_gap_c/bn_gap.c": EXPORT_C,
    "keras-mnist train --variant bn_gap": TRAIN,
    "python -m keras_mnist train --variant bn_gap": TRAIN,
}

# Each with what runs it, as it is or with arguments that take less time.
REPORT = "tests/studies/test_report.py::test_a_changed_figure_is_named_and_rewritten"
STUDY = "tests/scripts/test_study.py::test_a_study_trains_what_is_missing_keeps_records_and_tells_the_rest"
CLUSTER = "tests/studies/test_ray_pool.py::test_a_study_is_stopped_then_a_node_is_killed_and_no_run_is_lost"
WEIGHTS = "tests/scripts/test_weights.py::test_a_variant_without_runs_is_left_as_it_is_and_named"
COMPARE = "tests/scripts/test_compare.py::test_a_comparison_is_kept_and_not_made_again"
SEARCH = "tests/scripts/test_search.py::test_a_search_trains_what_has_no_record_and_shows_what_is_best"
ELSEWHERE = {
    "python scripts/compare.py --variants bn,bn_dropout": COMPARE,
    'python3 -m venv .venv && . .venv/bin/activate && pip install -q -e ".[test]" && ruff check && pytest': ".ci/run",
    'python3 -m venv .venv && . .venv/bin/activate && pip install -e ".[test]"': ".ci/run",
    "ruff check && ruff format && pytest": ".ci/run",
    "pytest -n 0 tests/models": ".ci/run",
    "pytest -m slow -rP": ".ci/run",
    "pytest -m slow tests/studies/test_ray_pool.py": ".ci/run",
    "keras-mnist report": REPORT,
    "keras-mnist study --variants NAME --recipe tuned --seeds 10 --dataset mnist --records docs/records": STUDY,
    "keras-mnist study --variants all --recipe document --validation test --seeds 5 --ray HEAD:6379": CLUSTER,
    "python -m tests.pictures.make": "tests/data/test_preprocess.py::"
    "test_the_shipped_pictures_are_those_of_their_script",
    "python -m tests.tour": "tests/test_tour.py::test_the_tour_gives_again_what_it_shows",
    "python scripts/report.py": REPORT,
    "python scripts/search.py --seeds 2": SEARCH,
    "python scripts/study.py --variants bn_gap,swift --seeds 5": STUDY,
    "python scripts/train.py --variant minimal": "tests/test_contributing.py::test_a_run_uses_all_that_was_added",
    "python scripts/weights.py": WEIGHTS,
}

# Each with why it is not run.
FROM_AN_INDEX = "installs from a package index; .ci/run installs from the checkout"
MACHINES = "a cluster of several machines; tests/studies/test_ray_pool.py makes one on this machine"
MEASURES = "measures for an hour; tests/benchmarks tries its parts"
LONG = {
    f"python3 -m venv .venv && . .venv/bin/activate && pip install -q -e . && {TRAIN}": "installs as .ci/run does, and "
    "trains for minutes; its last part is run here",
    'pip install -e ".[onnx]"': "installs from a package index; .ci/run installs the same and more",
    'pip install -e ".[cuda]"': "installs gigabytes for a GPU",
    'pip install "tensorflow-cpu>=2.21,<2.22" "keras>=3.15,<4" tensorflow-datasets importlib_resources scikit-learn '
    "scipy numba h5py matplotlib rich markdown-it-py filelock psutil pillow && pip install --no-deps -e .": "installs "
    "another TensorFlow; its packages are compared below",
    'pip install "keras-mnist[heic]"': FROM_AN_INDEX,
    'pip install "keras-mnist[ray]"': FROM_AN_INDEX,
    "ray start --head --port 6379 --disable-usage-stats": MACHINES,
    "ray start --address HEAD:6379": MACHINES,
    "ray stop": MACHINES,
    "keras-mnist benchmark --parts accuracy --seeds 10 --dataset mnist --json docs/records/benchmark.json": MEASURES,
    "python scripts/benchmark.py --baseline torch --repeats 7 --seeds 10 --json PATH": MEASURES,
    "python scripts/benchmark.py --parts formats --json docs/records/benchmark.json": MEASURES,
    "for seed in 0 1 2; do "
    "KERAS_MNIST_WITHOUT_OPTIMIZATIONS=imports,resampling,fused_layers,shards,steps_per_execution "
    "python scripts/train.py --variant bn_gap --dataset mnist --seed $seed --recipe document "
    "--runs runs/without-optimizations; done": "trains three times, without what makes that fast",
    "KERAS_MNIST_KILLS=25 KERAS_MNIST_COMMAND_LINES=500 KERAS_MNIST_NETWORKS=40 pytest -m slow -rP": "takes an hour; "
    "without the variables .ci/run does it",
}
