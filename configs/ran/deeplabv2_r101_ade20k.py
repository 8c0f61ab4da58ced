"""DeepLabv2-LargeFOV, the baseline: ResNet-101, ADE20K, 150 classes.

    python tools/train.py configs/ran/deeplabv2_r101_ade20k.py

Paper: mIoU 33.1 (table 6).
Assumed (the paper prints none of it): batch 10, crop 321 x 321, 20,000 iterations, frozen batch norm, as in
DeepLabv2. The paper starts from a COCO-trained DeepLabv2; without --cfg-options load_from=<file> (README,
Weights) this starts from ImageNet.
Also assumed: tested with the short side at 512.
"""
_base_ = ['../_base_/models/deeplabv2_r101.py',
          '../_base_/datasets/ade20k.py', '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
