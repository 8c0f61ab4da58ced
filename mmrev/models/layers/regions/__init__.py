"""RANet's object regions (Shen et al., NeurIPS 2020): their construction and their interaction, in pure torch."""

from .construction import Regions, region_construction
from .equations import pairwise_boundary, pairwise_similarity
from .interaction import region_interaction

__all__ = ['Regions', 'pairwise_boundary', 'pairwise_similarity', 'region_construction', 'region_interaction']
