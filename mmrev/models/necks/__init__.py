from .pool_dropout import PoolDropout

__all__ = ['PoolDropout']
