_base_ = './ranet_pipelines.py'
num_classes = 171
crop_size = (520, 520)
dataset = dict(type='COCOStuffDataset', data_root='data/coco_stuff10k', reduce_zero_label=True)
train_dataloader = dict(**_base_.train_loader, dataset=dict(
    **dataset, data_prefix=dict(img_path='images/train2014', seg_map_path='annotations/train2014'),
    pipeline=[*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes), *_base_.scale,
              dict(type='RandomCrop', crop_size=crop_size), *_base_.after_crop]))
val_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, data_prefix=dict(img_path='images/test2014', seg_map_path='annotations/test2014'),
    pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
