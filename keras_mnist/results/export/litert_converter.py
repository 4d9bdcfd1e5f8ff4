"""A program: write a SavedModel for LiteRT. `litert_converter.py SAVED_MODEL OUTPUT CALIBRATION`.

Where the file of calibration images is there, the result computes in whole numbers alone.
"""

import sys
from pathlib import Path


def convert(saved_model: str, output: str, calibration: str) -> None:
    """Convert, calibrating on images (n, 28, 28, 1) where there are any."""
    import numpy as np
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    if Path(calibration).exists():
        images = np.load(calibration).astype(np.float32)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    Path(output).write_bytes(converter.convert())


if __name__ == "__main__":
    convert(*sys.argv[1:])
