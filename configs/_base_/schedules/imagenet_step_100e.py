# ResNets of RA-Net, table 1. It prints no schedule: these are the steps that they are usually trained with.
_base_ = 'mmpretrain::_base_/schedules/imagenet_bs256.py'
