"""RA-ResNet-18 with normalisation over the channels on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet18_norm_ln_in1k.py

Paper: top-1 71.1, top-5 89.8 (table 7).
"""
_base_ = './ra_resnet18_in1k.py'
model = dict(backbone=dict(normalization='ln'))
