import sys, types, importlib.abc, importlib.machinery
from unittest.mock import MagicMock
import torch
torch.Tensor.cuda = lambda self,*a,**k: self
_to=torch.Tensor.to
def to(self,*a,**k):
    if a and a[0]=='cuda': a=('cpu',)+a[1:]
    return _to(self,*a,**k)
torch.Tensor.to=to
torch.nn.Module.cuda=lambda self,*a,**k:self
STUBS=('kornia','detectron2.data','detectron2._C','timm','transformers','nltk','utils.visualizer','MultiScaleDeformableAttention','hdbscan','matplotlib','seaborn','detectron2.projects','detectron2.utils.visualizer','detectron2.evaluation','tensorboard','clip','datasets','cloudpickle','black','hydra')
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self,name,path,target=None):
        if any(name==s or name.startswith(s+'.') for s in STUBS):
            return importlib.machinery.ModuleSpec(name,self,is_package=True)
    def create_module(self,spec):
        m=MagicMock(name=spec.name); m.__path__=[]; m.__spec__=spec; m.__name__=spec.name; m.__loader__=self
        return m
    def exec_module(self,m): pass
sys.meta_path.insert(0,Finder())
import timm.models.layers as tl
tl.trunc_normal_=torch.nn.init.trunc_normal_
tl.to_2tuple=lambda x:x if isinstance(x,(tuple,list)) else (x,x)
class DropPath(torch.nn.Module):
    def __init__(s,p=0.): super().__init__()
    def forward(s,x): return x
tl.DropPath=DropPath
sys.modules['timm.models.layers']=tl; sys.modules['timm.layers']=tl
sys.path[:0]=['official','official/d2']
import MultiScaleDeformableAttention as _M
_M.ms_deform_attn_forward.side_effect=RuntimeError('no kernel')
