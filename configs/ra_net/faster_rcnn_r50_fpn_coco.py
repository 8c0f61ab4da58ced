"""Faster R-CNN on ResNet-50 (the baseline) on COCO 2017: 12 epochs (1x) of 16 images a step.

    python tools/train.py configs/ra_net/faster_rcnn_r50_fpn_coco.py

Paper: params M 43.58, GFLOPs 207.07, box AP 37.3, AP50 58.0, APs 21.0, APm 41.0, APl 48.3 (table 4).
The backbone starts from configs/ra_net/resnet50_in1k.py, which must be trained first.
"""
_base_ = ['mmdet::_base_/models/faster-rcnn_r50_fpn.py', 'mmdet::_base_/datasets/coco_detection.py',
          'mmdet::_base_/schedules/schedule_1x.py', '../_base_/runtime_mmdet.py']
model = dict(backbone=dict(
    init_cfg=dict(type='Pretrained', checkpoint='work_dirs/resnet50_in1k/epoch_100.pth', prefix='backbone.')))
train_dataloader = dict(batch_size=16, num_workers=8)
