"""RAN-n (equation 2): ResNet-101, PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/ran/ran_n_r101_voc12aug.py

Paper: mIoU 80.4 (table 4).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
The paper trains on 12,051 images and is scored by the test server; here: trainaug (10,582) and val.
"""
_base_ = './deeplabv2_r101_voc12aug.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
