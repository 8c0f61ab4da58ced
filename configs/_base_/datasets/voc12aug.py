_base_ = './deeplabv2_pipelines.py'
num_classes = 21
load = [*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes)]
train_pipeline = [*load, *_base_.augment, *_base_.pack]
dataset = dict(type='PascalVOCDataset', data_root='data/VOCdevkit/VOC2012')
voc = dict(data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'))
sbd = dict(data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClassAug'))
train_dataloader = dict(**_base_.train_loader, dataset=dict(type='ConcatDataset', datasets=[
    dict(**dataset, **voc, ann_file='ImageSets/Segmentation/train.txt', pipeline=train_pipeline),
    dict(**dataset, **sbd, ann_file='ImageSets/Segmentation/aug.txt', pipeline=train_pipeline)]))
val_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, **voc, ann_file='ImageSets/Segmentation/val.txt', pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
