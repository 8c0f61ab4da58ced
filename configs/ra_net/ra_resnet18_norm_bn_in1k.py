"""RA-ResNet-18 with normalisation over the batch on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet18_norm_bn_in1k.py

Paper: top-1 70.7, top-5 89.6 (table 7).
"""
_base_ = './ra_resnet18_in1k.py'
model = dict(backbone=dict(normalization='bn'))
