"""bn_gap's document recipe as its source trains it: PyTorch, a PIL rotation for each image, a DataLoader."""

from __future__ import annotations

import time

import numpy as np
import torch
from PIL import Image
from torch import nn

from keras_mnist import conventions


class _Digits(torch.utils.data.Dataset):
    """RandomRotation(7), ToTensor and Normalize, one image at a time."""

    def __init__(self, images: np.ndarray, labels: np.ndarray):
        self.images, self.labels = images[..., 0], labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        degrees = float(torch.empty(1).uniform_(-7.0, 7.0))
        image = Image.fromarray(self.images[index]).rotate(degrees, resample=Image.BILINEAR)
        pixels = torch.from_numpy(np.array(image)).float().div_(255).unsqueeze(0)
        return pixels.sub_(conventions.PIXEL_MEAN).div_(conventions.PIXEL_DEVIATION), int(self.labels[index])


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
        workers: processes of the DataLoader; 0 for none.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, workers: int = 0):
        torch.manual_seed(0)
        self.network = network().train()
        assert sum(weight.numel() for weight in self.network.parameters()) == 7_550
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9)
        digits = _Digits(images, labels)
        self.loader = torch.utils.data.DataLoader(digits, batch_size=128, shuffle=True, num_workers=workers)
        self.batches = iter(self.loader)

    def train(self, steps: int) -> float:
        """Seconds of so many steps."""
        started = time.perf_counter()
        for _ in range(steps):
            images, labels = self._next()
            self.optimizer.zero_grad()
            nn.functional.nll_loss(self.network(images), labels).backward()
            self.optimizer.step()
        return time.perf_counter() - started

    def _next(self):
        try:
            return next(self.batches)
        except StopIteration:
            self.batches = iter(self.loader)
            return next(self.batches)
