"""Lets the official sources run on the CPU, from their checkouts."""
import sys, types, os, importlib
import torch
root='official/src'
sys.path.insert(0, root)
# project packages: detectron2.projects.point_rend lives in projects/PointRend
import importlib.util
pr = types.ModuleType('MultiScaleDeformableAttention'); sys.modules['MultiScaleDeformableAttention']=pr
# maskdino/__init__ pulls data mappers and evaluation; import only modeling
pkg = types.ModuleType('maskdino'); pkg.__path__=[root+'/maskdino']; sys.modules['maskdino']=pkg
pkg2 = types.ModuleType('maskdino.modeling'); pkg2.__path__=[root+'/maskdino/modeling']; sys.modules['maskdino.modeling']=pkg2
for sub in ['backbone','pixel_decoder','transformer_decoder','meta_arch']:
    m=types.ModuleType('maskdino.modeling.'+sub); m.__path__=[root+'/maskdino/modeling/'+sub]; sys.modules['maskdino.modeling.'+sub]=m
pt = types.ModuleType('detectron2.projects.point_rend.point_features')
pt.get_uncertain_point_coords_with_randomness=None; pt.point_sample=None
import detectron2, detectron2.projects
pp = types.ModuleType('detectron2.projects.point_rend'); pp.__path__=[]; sys.modules['detectron2.projects.point_rend']=pp
sys.modules['detectron2.projects.point_rend.point_features']=pt
import maskdino.modeling.backbone.swin
import maskdino.modeling.pixel_decoder.maskdino_encoder
import maskdino.modeling.meta_arch.maskdino_head
from maskdino.config import add_maskdino_config
from maskdino.maskdino import MaskDINO
import maskdino.utils.utils as U, maskdino.modeling.transformer_decoder.dino_decoder as DD
import math
_orig=U.gen_sineembed_for_position
CODE={'n':128}
def sine(pos):
    src=_orig
    n=CODE['n']
    scale=2*math.pi
    d=torch.arange(n,dtype=torch.float32,device=pos.device); d=10000**(2*(d//2)/n)
    def code(v):
        p=v[:,:,None]*scale/d if False else (v*scale)[:,:,None]/d
        return torch.stack((p[:,:,0::2].sin(),p[:,:,1::2].cos()),dim=3).flatten(2)
    return torch.cat([code(pos[:,:,i]) for i in (1,0,2,3)],dim=2)
DD.gen_sineembed_for_position=sine
