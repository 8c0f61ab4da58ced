"""Boundary scores [2, H, W] and class probabilities [2, 3, H, W] in double precision, for tests of RANet's layers."""

import torch
from torch.nn import functional as F

SIZES = [(5, 7), (7, 4), (1, 9), (8, 1), (1, 1)]
CLASSES = 3


def random(height, width):
    return torch.rand(2, height, width) * 0.3, torch.randn(2, CLASSES, height, width).softmax(1)


def constant(height, width):
    """One region, with equal scores."""
    return torch.full((2, height, width), 0.1), torch.full((2, CLASSES, height, width), 1 / CLASSES)


def checkerboard(height, width):
    """Neighbours differ in class, and boundaries lie between all others: each pixel is its own region."""
    black = (torch.arange(height)[:, None] + torch.arange(width)) % 2
    return torch.full((2, height, width), 0.95), F.one_hot(black, CLASSES).permute(2, 0, 1).expand(2, -1, -1, -1)


def ties(height, width):
    """Each map has a few values only, so maxima and scores tie."""
    classes = F.one_hot(torch.randint(CLASSES, (2, height, width)), CLASSES).permute(0, 3, 1, 2)
    return torch.randint(3, (2, height, width)) * 0.1, classes * 0.9 + 0.1 / CLASSES


def certain(height, width):
    """Some probabilities are 0, and the maps still form one region."""
    sure = torch.rand(2, 1, height, width) < 0.5
    some = torch.tensor([0.95, 0.05, 0.0]).view(-1, 1, 1)
    return torch.rand(2, height, width) * 0.1, torch.where(sure, torch.tensor([1.0, 0.0, 0.0]).view(-1, 1, 1), some)


KINDS = {function.__name__: function for function in (random, constant, checkerboard, ties, certain)}


def make(kind, size):
    return tuple(part.double().contiguous() for part in KINDS[kind](*size))
