_base_ = './deeplabv2_pipelines.py'
num_classes = 7
load = [*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes)]
dataset = dict(type='mmrev.PascalPersonPartDataset', data_root='data/VOCdevkit/VOC2010',
               data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationPersonPart'))
train_dataloader = dict(**_base_.train_loader, dataset=dict(
    **dataset, ann_file='ImageSets/PersonPart/train.txt', pipeline=[*load, *_base_.augment, *_base_.pack]))
val_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, ann_file='ImageSets/PersonPart/val.txt', pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
