from oseed import *
import time
n='swint'
d='golden/openseed/'+n
cfg=json.load(open(d+'/config.json'))
opt,m=build(cfg['official_config'], cfg['overrides'])
sd=torch.load(d+'/checkpoint.pt')
print(m.model.load_state_dict(sd, strict=False))
cap=cfg['capture']
classes(m, cap['thing_classes'], cap['stuff_classes'])
t=time.time()
r=run(m, d+'/image.png', cap['resize_short_side'], 'seg')
print(time.time()-t, r['panoptic_seg'][1], r['sem_seg'].argmax(0).flatten().bincount())
