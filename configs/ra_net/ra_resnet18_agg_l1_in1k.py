"""RA-ResNet-18 with L1 norms on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet18_agg_l1_in1k.py

Paper: top-1 71.0, top-5 89.9 (table 6).
"""
_base_ = './ra_resnet18_in1k.py'
model = dict(backbone=dict(aggregation='l1'))
