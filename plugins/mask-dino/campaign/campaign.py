"""Fresh networks of the official code: python campaign.py OUT FIRST LAST"""
import sys, os, json, random, warnings; warnings.filterwarnings('ignore')
import numpy as np, torch
from PIL import Image
import official
COFFEE='..png'
def pick(r):
    back=r.choice(['r50','r50','swin'])
    order=r.choice(['high2low','low2high'])
    feats=r.choice([["res3","res4","res5"],["res2","res3","res4","res5"],["res3","res4","res5"],["res4","res5"]])
    extra=r.choice([0,1])
    total=len(feats)+extra
    mode=r.choice(['instance','panoptic','semantic','panoptic','all_no_transform'])
    classes=r.choice([1,2,5,9,12,30])
    conv=r.choice([32,64,96]); hidden=r.choice([conv,conv,32,64,96])
    two=True if mode!='semantic' else r.choice([True,False])
    c=dict(backbone=back,num_classes=classes,num_thing_classes=r.randint(0,classes) if mode in('panoptic','all_no_transform') else classes,conv_dim=conv,mask_dim=r.choice([16,32,48]),hidden_dim=hidden,num_queries=r.choice([3,15,24]),
      encoder_dim_feedforward=r.choice([40,72]),decoder_dim_feedforward=r.choice([48,80]),encoder_layers=r.choice([1,2]),decoder_layers=r.choice([1,2,3]),nheads_encoder=r.choice([8,8,4]),nheads_decoder=8,n_points=4,
      total_num_feature_levels=total,transformer_in_features=feats,feature_order=order,two_stage=two,initialize_box_type=r.choice(['no','bitmask','mask2box']) if two else 'no',
      initial_pred=True,learn_tgt=r.choice([False,False,True]) if two else False,semantic_ce_loss=(mode=='semantic' and r.choice([True,False])),size_divisibility=r.choice([32,32,32,64,16]),
      semantic_on=mode!='instance',instance_on=mode!='semantic',panoptic_on=mode in('panoptic','all_no_transform'),object_mask_threshold=r.choice([0.25,0.5,0.6]),overlap_threshold=r.choice([0.1,0.5,0.8]),pano_temperature=r.choice([0.06,0.2]),pano_transform_eval=mode!='all_no_transform',
      focus_on_box=r.choice([False,False,True]),detections_per_image=r.choice([1,10,20]),pixel_mean=[123.675,116.28,103.53],pixel_std=[58.395,57.12,57.375],input_format='RGB',resize_shortest_edge=r.choice([64,96,120,131]),max_size=r.choice([1333,200]),group_norm_groups=32,sine_embed_features_per_coordinate=hidden//2)
    c['detections_per_image']=min(c['detections_per_image'],c['num_queries']*classes)
    if back=='r50':
        g=r.choice([1,1,2]); w=4
        c['resnet']=dict(depth=r.choice([50,50,101]),stem_out_channels=8,res2_out_channels=r.choice([16,24]),width_per_group=w,num_groups=g,stride_in_1x1=r.choice([False,False,True]),norm=r.choice(['FrozenBN','BN']))
    else:
        e=r.choice([8,12])
        c['swin']=dict(pretrain_img_size=224,patch_size=4,embed_dim=e,depths=r.choice([[2,2,2,2],[1,2,3,1]]),num_heads=r.choice([[1,2,2,4],[2,2,4,4]]),window_size=r.choice([7,5,12]),mlp_ratio=2.0,qkv_bias=r.choice([True,True,False]),qk_scale=None,drop_rate=0.0,attn_drop_rate=0.0,drop_path_rate=0.3,ape=False,patch_norm=r.choice([True,True,False]),out_features=["res2","res3","res4","res5"],use_checkpoint=False)
    return c
@torch.no_grad()
def randomise(model,seed):
    g=torch.Generator().manual_seed(seed)
    rnd=lambda t: torch.randn(t.shape,generator=g)
    done=set()
    for n,p in list(model.named_parameters())+list(model.named_buffers()):
        if p.data_ptr() in done or not p.is_floating_point(): continue
        done.add(p.data_ptr())
        if n in('pixel_mean','pixel_std') or 'criterion' in n: continue
        if n.endswith('running_var'): p.copy_(torch.rand(p.shape,generator=g)+0.5)
        elif n.endswith('running_mean'): p.copy_(0.2*rnd(p))
        elif 'sampling_offsets.bias' in n: p.add_(0.5*rnd(p))
        elif 'sampling_offsets.weight' in n: p.copy_(0.3*rnd(p))
        elif 'attention_weights' in n: p.copy_(0.2*rnd(p))
        elif 'norm' in n and n.endswith('weight') and p.dim()==1: p.copy_(1+0.2*rnd(p))
        elif n.endswith('bias') or p.dim()==1: p.copy_(0.2*rnd(p))
        elif 'query_embed' in n: p.copy_(rnd(p))
        elif 'class_embed' in n: p.copy_(rnd(p)*0.25)
        else:
            fan=p[0].numel() if p.dim()>1 else 1
            p.copy_(rnd(p)*(1.6/max(fan,1))**0.5)
def image(r,i):
    kind=r.choice(['photo','photo','noise','flat','tall','wide','pixel','line'])
    src=Image.open(COFFEE).convert('RGB')
    if kind=='pixel': return kind,Image.new('RGB',(1,1),(200,30,60))
    if kind=='flat': return kind,Image.new('RGB',(r.randint(2,90),r.randint(2,90)),(90,130,40))
    if kind=='noise': return kind,Image.fromarray(np.random.RandomState(i).randint(0,256,(r.randint(3,150),r.randint(3,150),3),dtype=np.uint8))
    if kind=='tall': return kind,src.crop((200,10,200+r.randint(20,60),390))
    if kind=='wide': return kind,src.crop((10,150,590,150+r.randint(20,60)))
    if kind=='line': return kind,src.crop((100,100,100+r.choice([1,2]),100+r.randint(5,12))) if r.random()<.5 else src.crop((100,100,100+r.randint(5,12),100+r.choice([1,2])))
    w,h=r.randint(80,400),r.randint(80,300); x,y=r.randint(0,600-w),r.randint(0,400-h)
    return kind,src.crop((x,y,x+w,y+h))
def main(out,first,last):
    torch.set_num_threads(1)
    for i in range(first,last):
        r=random.Random(1000+i); c=pick(r); kind,img=image(r,i)
        d=f'{out}/{i:03d}'; os.makedirs(d,exist_ok=True)
        try:
            model,cfg=official.build(c); randomise(model,i); model.eval()
            img.save(d+'/image.png'); sd={k:v for k,v in model.state_dict().items()}
            torch.save({'model':sd},d+'/checkpoint.pth')
            J=official.run(model,c,d+'/image.png')
        except Exception as e:
            print(i,kind,c['backbone'],'official fails:',type(e).__name__,str(e)[:140]); json.dump({'fails':str(e)[:300]},open(d+'/expected.json','w')); json.dump(c,open(d+'/config.json','w'),indent=1); continue
        json.dump(c,open(d+'/config.json','w'),indent=1); json.dump(J,open(d+'/expected.json','w'))
        print(i,kind,c['backbone'],J['original_size_hw'],J['resized_size_hw'],'inst',len(J.get('instances_sorted_by_score',[])),'pan',len(J.get('panoptic',{}).get('segments_info',[])),'sem',len(J.get('semantic',{}).get('masks_by_class',{})),flush=True)
if __name__=='__main__': main(sys.argv[1],int(sys.argv[2]),int(sys.argv[3]))
