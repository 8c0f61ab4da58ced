_base_ = './ranet_pipelines.py'
num_classes = 19
crop_size = (769, 769)
train_pipeline = [*_base_.load, dict(type='mmrev.CheckLabels', num_classes=num_classes), *_base_.scale,
                  dict(type='RandomCrop', crop_size=crop_size), *_base_.after_crop]
dataset = dict(type='CityscapesDataset', data_root='data/cityscapes')
fine_train = dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train')
fine_val = dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val')
train_dataloader = dict(**_base_.train_loader, dataset=dict(
    **dataset, data_prefix=fine_train, pipeline=train_pipeline))
val_dataloader = dict(**_base_.test_loader, dataset=dict(
    **dataset, data_prefix=fine_val, pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
