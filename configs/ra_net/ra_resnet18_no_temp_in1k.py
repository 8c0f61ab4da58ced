"""RA-ResNet-18 without temperature annealing on ImageNet-1K.

    python tools/train.py configs/ra_net/ra_resnet18_no_temp_in1k.py

Paper: top-1 71.0, top-5 90.0 (table 9).
"""
_base_ = './ra_resnet18_in1k.py'
custom_hooks = _base_.custom_hooks[:-1]  # without the annealing
