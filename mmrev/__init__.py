"""Reverse attention for OpenMMLab: build any part of it with ``type='mmrev.<Name>'``."""

from .version import __version__

__all__ = ['__version__']
