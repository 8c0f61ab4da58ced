"""Hooks for training, and safe reading of checkpoints."""

from typing import Any

from mmrev.catalog import register_all, resolve

__all__ = register_all(__name__)


def __getattr__(name: str) -> Any:
    return resolve(__name__, name)
