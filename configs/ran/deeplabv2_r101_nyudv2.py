"""DeepLabv2-LargeFOV, the baseline: ResNet-101, NYUDv2, 40 classes, RGB.

    python tools/train.py configs/ran/deeplabv2_r101_nyudv2.py

Paper: mIoU 37.3 (table 5).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
"""
_base_ = ['../_base_/models/deeplabv2_r101.py',
          '../_base_/datasets/nyudv2.py', '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
