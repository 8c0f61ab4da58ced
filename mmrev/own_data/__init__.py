"""A config for the user's own images and annotations: the formats, the splits, and the text of the config."""

from .new_config import Made, Request, new_config

__all__ = ['Made', 'Request', 'new_config']
