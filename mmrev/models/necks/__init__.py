from .feature_dropout import FeatureDropout

__all__ = ['FeatureDropout']
