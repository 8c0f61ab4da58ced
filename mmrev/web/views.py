"""The maps inside of a model that the page can show. One class a method.

Shapes: N classes, H x W the picture, h x w the picture on the page.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn

from mmrev.prediction import Predictor

Picture = tuple[np.ndarray, str]


@dataclass(frozen=True)
class Opened:
    """A picture that a model has predicted.

    Args:
        model: The model.
        item: The picture as the test pipeline gives it.
        picture: RGB, [h, w, 3] uint8.
    """

    model: Any
    item: dict
    picture: np.ndarray

    @property
    def inputs(self) -> Tensor:
        """The whole picture as the input of the network, even if the test config slides a window."""
        return self.model.data_preprocessor(pseudo_collate([self.item]))['inputs']


class View(ABC):
    """One kind of maps.

    Attributes:
        title: Its name on the page.
        text: One or two sentences that say how to read it.
        choices: The names of the classes, if a map belongs to a class.
    """

    title: str
    text: str
    choices: Sequence[str] = ()

    @abstractmethod
    def compute(self, opened: Opened) -> Any:
        """Runs the network, and returns all that the pictures need. It is kept for the next choice."""

    @abstractmethod
    def pictures(self, opened: Opened, computed: Any, choice: int) -> list[Picture]:
        """Draws the pictures of one choice, RGB [h, w, 3] uint8, each with its caption."""


def views_of(predictor: Predictor) -> list[View]:
    """Finds all that a model can show."""
    from .gate_view import gate_views

    views: list[View] = []
    if predictor.scope == 'mmseg':
        from .segmentation_views import segmentation_views

        views += segmentation_views(predictor.model, predictor.classes.names)
    return views + gate_views(predictor.model)


def backbone_of(model: nn.Module) -> Any:
    """Returns the backbone of a model of any host, or the model itself."""
    return getattr(model, 'backbone', model)
