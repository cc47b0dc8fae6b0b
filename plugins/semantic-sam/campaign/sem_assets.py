import sys; sys.path.insert(0,'/tmp')
from pthread_np import load
import numpy as np
from safetensors.numpy import load_file, save_file
G='golden/'
for name,f,ck,pre in [('swin_mask_dino','maskdino/swin_panoptic','checkpoint.pth','backbone.'),('swin_open_seed','openseed/swinl_decouple','checkpoint.pt','backbone.')]:
    sd=load(G+f+'/'+ck); sd=sd.get('model',sd)
    ex=load_file(G+f+'/expected.safetensors')
    out={}
    for k,v in sd.items():
        if k.startswith(pre) and 'relative_position_index' not in k: out['backbone.'+k[len(pre):]]=np.ascontiguousarray(v)
    for k,v in ex.items():
        if k.startswith('backbone.') and 'attn_windows' not in k: out['expected.'+k[9:]]=v
        if k=='input.resized_u8_hwc': out['input']=v
    save_file(out,f'.{name}.safetensors')
    print(name,[k for k in out if not k.startswith('backbone')])
