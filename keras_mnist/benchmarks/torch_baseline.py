"""bn_gap's document recipe in PyTorch: as its source trains it, and as an expert would write it for a CPU.

The source's: a PIL rotation for each image, a DataLoader. The expert's: the whole data set as one tensor, a batch
rotated at once, channels last; torch.compile and bfloat16 made it slower.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch import nn

from keras_mnist import conventions

BATCH = 128
DEGREES = 7.0


def rotated_by_pil(image: np.ndarray, degrees: float) -> np.ndarray:
    """One image (28, 28) uint8, turned against the clock."""
    return np.array(Image.fromarray(image).rotate(degrees, resample=Image.BILINEAR))


def rotated_at_once(images: torch.Tensor, degrees: torch.Tensor) -> torch.Tensor:
    """Images (n, 1, 28, 28), each turned by its own angle against the clock, with zeros around."""
    angles = torch.deg2rad(degrees)
    cosines, sines, zeros = torch.cos(angles), torch.sin(angles), torch.zeros_like(angles)
    matrices = torch.stack([cosines, -sines, zeros, sines, cosines, zeros], 1).view(-1, 2, 3)
    grid = nn.functional.affine_grid(matrices, images.shape, align_corners=False)
    return nn.functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def normalized(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels from 0 to 1, in place, as networks take them."""
    return pixels.sub_(conventions.PIXEL_MEAN).div_(conventions.PIXEL_DEVIATION)


class _Digits(torch.utils.data.Dataset):
    """RandomRotation(7), ToTensor and Normalize, one image at a time."""

    def __init__(self, images: np.ndarray, labels: np.ndarray):
        self.images, self.labels = images[..., 0], labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = rotated_by_pil(self.images[index], float(torch.empty(1).uniform_(-DEGREES, DEGREES)))
        return normalized(torch.from_numpy(image).float().div_(255).unsqueeze(0)), int(self.labels[index])


def document_batches(images: np.ndarray, labels: np.ndarray, workers: int) -> Iterator[tuple]:
    """Shuffled batches without end.

    Args:
        workers: processes of the DataLoader; 0 for none.
    """
    digits = _Digits(images, labels)
    loader = torch.utils.data.DataLoader(digits, batch_size=BATCH, shuffle=True, num_workers=workers)
    return itertools.chain.from_iterable(itertools.repeat(loader))


def expert_batches(images: np.ndarray, labels: np.ndarray) -> Iterator[tuple]:
    """Shuffled batches without end, made of whole tensors."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)
    classes = torch.from_numpy(labels).long()
    while True:
        for indices in torch.randperm(len(classes)).split(BATCH):
            degrees = torch.empty(len(indices)).uniform_(-DEGREES, DEGREES)
            batch = normalized(rotated_at_once(pixels[indices], degrees))
            yield batch.contiguous(memory_format=torch.channels_last), classes[indices]


def _block(inputs: int, filters: int, padding: int = 0) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, filters, 3, padding=padding, bias=False)
    return [convolution, nn.ReLU(), nn.BatchNorm2d(filters), nn.Dropout(0.1)]


def network() -> nn.Module:
    """bn_gap: 7,550 parameters, logarithms of probabilities out."""
    return nn.Sequential(
        *_block(1, 10),
        *_block(10, 16),
        nn.Conv2d(16, 10, 1, bias=False),
        nn.MaxPool2d(2),
        *_block(10, 10),
        *_block(10, 10),
        *_block(10, 16),
        *_block(16, 16, padding=1),
        nn.AvgPool2d(6),
        nn.Conv2d(16, 10, 1, bias=False),
        nn.Flatten(),
        nn.LogSoftmax(1),
    )


class TorchTrainer:
    """Trains for so many steps at a time and says how long they took.

    Args:
        batches: as document_batches and expert_batches give them.
    """

    def __init__(self, batches: Iterator[tuple], memory_format: torch.memory_format = torch.contiguous_format):
        torch.manual_seed(0)
        self.network = network().train().to(memory_format=memory_format)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9)
        self.batches = batches
        self.loss = torch.tensor(0.0)  # of the last step

    def train(self, steps: int) -> float:
        """Seconds of so many steps."""
        started = time.perf_counter()
        for images, labels in itertools.islice(self.batches, steps):
            self.optimizer.zero_grad()
            self.loss = nn.functional.nll_loss(self.network(images), labels)
            self.loss.backward()
            self.optimizer.step()
        return time.perf_counter() - started


def document_trainer(images: np.ndarray, labels: np.ndarray, workers: int = 0) -> TorchTrainer:
    """The source's own recipe."""
    return TorchTrainer(document_batches(images, labels, workers))


def expert_trainer(images: np.ndarray, labels: np.ndarray) -> TorchTrainer:
    """The same recipe by an expert."""
    return TorchTrainer(expert_batches(images, labels), torch.channels_last)
