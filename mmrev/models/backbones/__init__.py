"""Backbones: the hosts' networks with attention in their blocks, and the networks that the papers start from."""
