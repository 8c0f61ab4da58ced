"""Faster R-CNN on CBAM-ResNet-50 (CBAM), on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/faster_rcnn_cbam_r50_fpn_coco.py

Paper: box AP 38.8 (AP50 60.0, APs 23.3, APm 42.9, APl 49.2); 48.59 M parameters, 207.10 GFLOPs (table 4).
Starts from the backbone of configs/ra_net/cbam_resnet50_in1k.py, trained before, or of another file with --cfg-
options model.backbone.init_cfg.checkpoint=<file> (docs/ra_net.md).
Assumed: train2017 and val2017 for the paper's trainval35k and minival; mmdetection's 1x schedule.
"""
_base_ = './faster_rcnn_r50_fpn_coco.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet',
                           init_cfg=dict(checkpoint='work_dirs/cbam_resnet50_in1k/epoch_100.pth')))
