# The 59 classes and the background. The background counts as a class (section 5).
_base_ = './ranet_pipelines.py'
num_classes = 60
crop_size = (520, 520)
dataset = dict(type='PascalContextDataset', data_root='data/VOCdevkit/VOC2010',
               data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassContext'))
train_dataloader = dict(**_base_.train_loader, dataset=dict(
    **dataset, ann_file='ImageSets/SegmentationContext/train.txt',
    pipeline=[*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes), *_base_.scale,
              dict(type='RandomCrop', crop_size=crop_size), *_base_.after_crop]))
val_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, ann_file='ImageSets/SegmentationContext/val.txt', pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
