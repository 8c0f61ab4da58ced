_base_ = './deeplabv2_pipelines.py'
num_classes = 59
load = [*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes)]
train_pipeline = [*load, *_base_.augment, *_base_.pack]
unaugmented_pipeline = [*load, *_base_.crop, *_base_.pack]
dataset = dict(type='PascalContextDataset59', data_root='data/VOCdevkit/VOC2010',
               data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassContext'))
train_dataloader = dict(**_base_.train_loader, dataset=dict(
    **dataset, ann_file='ImageSets/SegmentationContext/train.txt', pipeline=train_pipeline))
val_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, ann_file='ImageSets/SegmentationContext/val.txt', pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
# These are DeepLabv2's published settings for ResNet-101. DeepLabv2 tunes them by cross-validation on a few images.
crf = dict(iterations=10, bilateral_weight=4, bilateral_xy=67, bilateral_rgb=3, gaussian_weight=3, gaussian_xy=1)
