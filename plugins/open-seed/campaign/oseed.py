"""Runs the official OpenSeeD (checkout in official/official) with shims; makes campaign cases."""
import sys, types, os, json, copy, random
ROOT='official/official'
sys.path.insert(0, ROOT)
os.environ.setdefault('MKL_CBWR','COMPATIBLE')
import importlib.machinery
import torch
class _Stub(types.ModuleType):
    def __getattr__(self, n):
        if n.startswith('__'): raise AttributeError(n)
        return lambda *a, **k: (_ for _ in ()).throw(RuntimeError('stub '+n))
def stub(name):
    m=_Stub(name); m.__spec__=importlib.machinery.ModuleSpec(name,None); sys.modules[name]=m; return m
stub('MultiScaleDeformableAttention')
import detectron2
c=stub('detectron2._C'); detectron2._C=c
import transformers
_orig=transformers.CLIPTokenizer
def _fp(*a, **k): return _orig('official/tok/vocab.json','official/tok/merges.txt')
transformers.CLIPTokenizer.from_pretrained=staticmethod(_fp)
torch.Tensor.cuda=lambda self,*a,**k: self
torch.nn.Module.cuda=lambda self,*a,**k: self
import numpy as np
from PIL import Image
from torchvision import transforms
from detectron2.data import MetadataCatalog
try:
    import logging; logging.disable(logging.WARNING)
except Exception: pass
from utils.arguments import load_opt_from_config_files, load_config_dict_to_opt
from openseed import build_model
from openseed.BaseModel import BaseModel

def build(config, overrides, seed=None):
    opt=load_opt_from_config_files([os.path.join(ROOT,config)])
    load_config_dict_to_opt(opt, {'MODEL.BACKBONE.LOAD_PRETRAINED': False, 'MODEL.BACKBONE.PRETRAINED': '', 'VERBOSE': False, **overrides})
    opt.setdefault('MODEL',{})['TEXT']['LOAD_PRETRAINED']=False
    if seed is not None: torch.manual_seed(seed)
    model=BaseModel(opt, build_model(opt)).eval()
    return opt, model

def classes(model, things, stuff, is_eval=True):
    name='c%d'%random.getrandbits(60)
    m=MetadataCatalog.get(name)
    m.set(thing_dataset_id_to_contiguous_id={x:x for x in range(len(things))}, thing_classes=things, stuff_classes=stuff)
    mm=model.model; mm.metadata=m
    mm.sem_seg_head.num_classes=len(things+stuff)
    mm.sem_seg_head.predictor.lang_encoder.get_text_embeddings(things+stuff, is_eval=is_eval)

def run(model, image, short, task):
    ori=Image.open(image).convert('RGB'); w,h=ori.size
    im=np.asarray(transforms.Resize(short, interpolation=Image.BICUBIC)(ori))
    t=torch.from_numpy(im.copy()).permute(2,0,1)
    with torch.no_grad():
        return model.forward([{'image':t,'height':h,'width':w}], inference_task=task)[0]
