"""RAN-s (equation 1): ResNet-101, ADE20K, 150 classes.

    python tools/train.py configs/ran/ran_s_r101_ade20k.py

Paper: mIoU 35.2 (table 6).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
Also assumed: tested with the short side at 512.
"""
_base_ = './deeplabv2_r101_ade20k.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='simple'))
