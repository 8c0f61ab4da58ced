from .configs import find_config

__all__ = ['find_config']
