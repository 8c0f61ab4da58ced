"""Backbones: a host's networks with attention in their blocks, and the networks that the papers start from."""
