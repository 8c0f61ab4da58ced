"""Faster R-CNN on SE-ResNet-50 (squeeze-and-excitation) on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/faster_rcnn_se_r50_fpn_coco.py

Paper: params M 46.08, GFLOPs 207.07, box AP 38.9, AP50 60.2, APs 22.9, APm 43.0, APl 50.2 (table 4).
The backbone starts from configs/ra_net/se_resnet50_in1k.py, which must be trained first.
"""
_base_ = './faster_rcnn_r50_fpn_coco.py'
model = dict(backbone=dict(type='mmrev.SEResNet',
                           init_cfg=dict(checkpoint='work_dirs/se_resnet50_in1k/epoch_100.pth')))
