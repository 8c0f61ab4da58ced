"""RAN-s (equation 1): ResNet-101, NYUDv2, 40 classes, RGB.

    python tools/train.py configs/ran/ran_s_r101_nyudv2.py

Paper: mIoU 41.2 (table 5).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
"""
_base_ = './deeplabv2_r101_nyudv2.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='simple'))
