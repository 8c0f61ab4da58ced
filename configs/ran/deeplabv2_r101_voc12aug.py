"""DeepLabv2-LargeFOV, the baseline: ResNet-101, PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/ran/deeplabv2_r101_voc12aug.py

Paper: mIoU 79.1 (table 4).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
The paper trains on 12,051 images and is scored by the test server; here: trainaug (10,582) and val.
"""
_base_ = ['../_base_/models/deeplabv2_r101.py',
          '../_base_/datasets/voc12aug.py', '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
