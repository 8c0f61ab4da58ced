"""The multi-scale segmentor, its fusions and its dense CRF."""
