"""RA-ResNet-18 without normalisation on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet18_norm_none_in1k.py

Paper: top-1 70.1, top-5 89.4 (table 7).
"""
_base_ = './ra_resnet18_in1k.py'
model = dict(backbone=dict(normalization='none'))
