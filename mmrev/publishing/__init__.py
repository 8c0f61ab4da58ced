"""Publishing of trained models: one folder with the weights, the config and a model card."""

from .publish import Published, publish

__all__ = ['Published', 'publish']
