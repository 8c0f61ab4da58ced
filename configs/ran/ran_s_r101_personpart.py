"""RAN-s (equation 1): ResNet-101, PASCAL Person-Part, background and 6 parts.

    python tools/train.py configs/ran/ran_s_r101_personpart.py

Paper: mIoU 66.6 (table 3).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
"""
_base_ = './deeplabv2_r101_personpart.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='simple'))
