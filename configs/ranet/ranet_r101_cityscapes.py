"""RANet, both maps, K = 8, ResNet-101, Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_cityscapes.py

Paper: mIoU 81.9 (tables 1 to 4), of the coarse maps 77.3 (table 4); for 212 GFLOPs, 21 M parameters and 1,893 MB more
than the backbone (table 3).
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
The coarse maps are tested with the same weights: tools/test.py <config> <checkpoint> --cfg-options
model.test_cfg.output=coarse
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='mmrev.RegionAttentionHead'))
