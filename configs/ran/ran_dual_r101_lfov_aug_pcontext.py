"""Dual-Branch RAN (no attention): ResNet-101, PASCAL-Context, 59 classes, one scale.

    python tools/train.py configs/ran/ran_dual_r101_lfov_aug_pcontext.py

Paper: mIoU 44.4 (table 2, +Aug).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
"""
_base_ = './ran_dual_r101_pcontext.py'
model = dict(scales=(1.0, ))
