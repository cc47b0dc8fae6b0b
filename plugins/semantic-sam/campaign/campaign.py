import fixture as F, numpy as np, sys
from PIL import Image, ImageDraw
def img(w,h,seed,kind='shapes'):
    r=np.random.RandomState(seed)
    if kind=='noise': return Image.fromarray(r.randint(0,256,(h,w,3),dtype=np.uint8))
    im=Image.new('RGB',(w,h),tuple(r.randint(0,256,3))); d=ImageDraw.Draw(im)
    for _ in range(14):
        x,y=r.randint(0,max(1,w)),r.randint(0,max(1,h)); a,b=r.randint(1,max(2,w//2)),r.randint(1,max(2,h//2)); c=tuple(int(v) for v in r.randint(0,256,3))
        (d.ellipse if r.rand()<.5 else d.rectangle)([x-a//2,y-b//2,x+a//2,y+b//2],fill=c)
    n=np.asarray(im).astype(int)+r.randint(-12,13,(h,w,3)); return Image.fromarray(np.clip(n,0,255).astype(np.uint8))
T=dict(swin=dict(EMBED_DIM=16,DEPTHS=[2,2,2,2],NUM_HEADS=[2,2,4,8],WINDOW_SIZE=7,MLP_RATIO=2.0),enc=dict(CONVS_DIM=64,MASK_DIM=64,TRANSFORMER_ENC_LAYERS=2),dec=dict(HIDDEN_DIM=64,DIM_FEEDFORWARD=96,DEC_LAYERS=3))
def conf(swin={},enc={},dec={},**k): return dict(swin=T['swin']|swin,enc=T['enc']|enc,dec=T['dec']|dec,**k)
S={"no_nms":dict(points_per_side=4,box_nms_thresh=1.1,crop_nms_thresh=1.1),"no_nms_batches":dict(points_per_side=5,points_per_batch=3,level=[5,1,3],box_nms_thresh=1.1,crop_nms_thresh=1.1,min_mask_region_area=30,q_iou=.4),"all":{},"level1":dict(level=[1],points_per_side=7),"slider":dict(level=[6,1,2,3,4,5],points_per_side=5,stability_score_offset=1.0,q_iou=.3),"batches":dict(level=[2,3],points_per_side=5,points_per_batch=7,min_mask_region_area=60),"dups_raw":dict(level=[4,4,5],min_mask_region_area=0,points_per_side=4)}
C={
 'odd':(conf(),img(131,97,1),64), 'tall':(conf(),img(40,400,2),64), 'wide':(conf(),img(500,37,3),64),
 'pixel':(conf(),img(1,1,4),64), 'line':(conf(),img(3,200,41),32),
 'w12':(conf(swin=dict(EMBED_DIM=12,DEPTHS=[1,2,3,1],NUM_HEADS=[1,2,3,4],WINDOW_SIZE=12,MLP_RATIO=4.0)),img(150,120,5),96),
 'proj':(conf(enc=dict(CONVS_DIM=64,MASK_DIM=32),dec=dict(HIDDEN_DIM=96)),img(120,90,6),90),
 'heads4':(conf(enc=dict(TRANSFORMER_ENC_LAYERS=3),dec=dict(NHEADS=4,DEC_LAYERS=2),dim_proj=24),img(100,100,7),100),
 'same':(conf(),img(200,150,8),150), 'small':(conf(),img(60,45,9),180), 'big':(conf(),img(700,460,10),128),
 'w3':(conf(swin=dict(WINDOW_SIZE=3,DEPTHS=[3,1,2,2])),img(77,77,11,'noise'),77),
 'w1':(conf(swin=dict(WINDOW_SIZE=1)),img(64,96,12),64),
}
only=sys.argv[1:]
for i,(n,(c,im,ts)) in enumerate(C.items()):
    if only and n not in only: continue
    F.make('official/out/'+n,100+i,c,im,ts,S,boxes=[(.4,.5,.3,.6),(.7,.2,.1,.1)],points=[(.5,.5),(.21,.73),(0.,0.)])
