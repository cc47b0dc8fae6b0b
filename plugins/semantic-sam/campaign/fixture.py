"""make official fixtures: fixture.py OUT seed [json overrides]"""
import warnings; warnings.filterwarnings('ignore')
import build, torch, json, os, sys, numpy as np, copy
from PIL import Image
from torchvision import transforms
from pycocotools import mask as mu
from tasks.automatic_mask_generator import SemanticSamAutomaticMaskGenerator, prompt_switch
np.float=float
class Base:  # BaseModel wrapper
    def __init__(s,m): s.model=m
def configure(c, swin=None, enc=None, dec=None, dim_proj=16):
    c=copy.deepcopy(c); M=c['MODEL']
    M['BACKBONE']['SWIN'].update(swin or {}); M['ENCODER'].update(enc or {}); M['DECODER'].update(dec or {}); M['DIM_PROJ']=dim_proj
    return c
def confjson(c,text_size):
    M=c['MODEL']; S=M['BACKBONE']['SWIN']; D=M['DECODER']; E=M['ENCODER']
    return {"SWIN":{k:S[k] for k in ["EMBED_DIM","DEPTHS","NUM_HEADS","WINDOW_SIZE","MLP_RATIO","PRETRAIN_IMG_SIZE","PATCH_SIZE","QKV_BIAS","APE","PATCH_NORM","OUT_FEATURES"]},
     "ENCODER":{k:E[k] for k in ["CONVS_DIM","MASK_DIM","TRANSFORMER_ENC_LAYERS"]},
     "DECODER":{k:D[k] for k in ["HIDDEN_DIM","NHEADS","DIM_FEEDFORWARD","DEC_LAYERS","NUM_INTERACTIVE_TOKENS"]},
     "DIM_PROJ":M['DIM_PROJ'],"pixel_mean":c['INPUT']['PIXEL_MEAN'],"pixel_std":c['INPUT']['PIXEL_STD'],"size_divisibility":D['SIZE_DIVISIBILITY'],
     "num_mask_tokens":6,"enc_n_points":4,"dec_n_points":4,"encoder_n_heads":D['NHEADS'],"group_norm_groups":32,"total_num_feature_levels":4,
     "transformer_in_features":["res3","res4","res5"],"encoder_dim_feedforward":D['DIM_FEEDFORWARD'],"decoder_activation":"relu","text_size":text_size,
     "level_to_token":{"1":3,"2":2,"3":0,"4":4,"5":1,"6":5}}
def randomize(m,seed,scale=1.0):
    g=torch.Generator().manual_seed(seed)
    for n,p in m.named_parameters():
        r=torch.randn(p.shape,generator=g)
        if p.ndim>=2 and 'embed' not in n.split('.')[-1]:
            fan=p[0].numel(); p.data=r*scale/ fan**.5
        elif n.endswith('weight') and p.ndim==1: p.data=1+.2*r
        else: p.data=.2*r
        if 'sampling_offsets.weight' in n: p.data*=.5
        if 'sampling_offsets.bias' in n: p.data=r*1.5
        if 'relative_position_bias_table' in n: p.data=r*.5
        if any(k in n for k in ['label_enc','pb_embedding','mask_tokens','level_embed']): p.data=r
        if '_bbox_embed.layers.2' in n: p.data*=.3
def rle(m):
    r=mu.encode(np.asfortranarray(m.astype(np.uint8))); return {"size":list(r['size']),"counts":r['counts'].decode()}
def gap(v,q):
    v=np.sort(np.unique(np.asarray(v,dtype=np.float64))); v=v[np.isfinite(v)]
    if len(v)<2: return float(v[0]-1e-3) if len(v) else 0.
    a=max(0,int(len(v)*(q-.06))); b=min(len(v)-2,int(len(v)*(q+.06)))
    i=a+int(np.argmax(v[a+1:b+2]-v[a:b+1])); return float((v[i]+v[i+1])/2)
def resize(img,ts):
    return np.asarray(transforms.Resize(int(ts),interpolation=Image.BICUBIC)(img))
def predict(model,images,h,w,point):
    p=torch.tensor([point]) if point is not None else None
    pt=torch.tensor([[.5,.5,.006,.006]]) if p is None else torch.cat([p,p.new_tensor([[.005,.005]])],-1)
    data={"image":images,"height":h,"width":w,'targets':[{'points':pt,'pb':pt.new_tensor([0.])}]}
    return model.model.evaluate_demo([data])
def box(model,images,h,w,b):
    pt=torch.tensor([b],dtype=torch.float32)
    data={"image":images,"height":h,"width":w,'targets':[{'points':pt,'pb':pt.new_tensor([1.])}]}
    return model.model.evaluate_demo([data])
from tasks.interactive_predictor import SemanticSAMPredictor as P
def selected(masks,ious,thresh,hole,island):
    ious=ious[0,0]; ids=torch.argsort(ious,descending=True); ls=[]; out=[]
    for i,(m,iou) in enumerate(zip(masks[ids],ious[ids])):
        iou=round(float(iou),2); m=(m>0).numpy(); c=iou<thresh
        for o in ls:
            if np.logical_and(m,o).sum()/np.logical_or(m,o).sum()>.95: c=True;break
        if i==len(ids)-1 and not ls: c=False
        if c: continue
        ls.append(m); m,_=P.remove_small_regions(m,hole,'holes'); m,_=P.remove_small_regions(m,island,'islands'); out.append({"text_iou":iou,"mask":rle(m),"area":int(m.sum())})
    return out
def make(out,seed,conf,img,text_size,settings,points=((.5,.5),(.2,.7)),scale=1.0,thresh=None,hole=40,island=40,boxes=()):
    os.makedirs(out,exist_ok=True)
    if isinstance(conf,torch.nn.Module): m=conf
    else:
        c=configure(build.cfg('T'),**conf); m=build.build(c); randomize(m,seed,scale)
        torch.save({"model":{"model."+k:v for k,v in m.state_dict().items()}},out+'/checkpoint.pth')
        json.dump(confjson(c,text_size),open(out+'/config.json','w'))
    img.save(out+'/image.png'); model=Base(m)
    a=resize(img,text_size); h,w=a.shape[:2]; images=torch.from_numpy(a.copy()).permute(2,0,1)
    res={"original_size_hw":[img.size[1],img.size[0]],"resized_size_hw":[h,w],"text_size":text_size,"interactive":{},"boxes":{},"amg":{}}
    with torch.no_grad():
        for i,p in enumerate(list(points)+[None]):
            ms,io=predict(model,images,h,w,p)
            t=gap(io.flatten().numpy(),.3) if thresh is None else thresh
            t=round(t,2)+.005
            res["interactive"][f"p{i}" if p else "p_none_default"]={"point_xy_normalized":list(p) if p else None,"predicted_iou_by_token":io[0,0].tolist(),"masks_by_token":[rle((x>0).numpy()) for x in ms],
              "selected":selected(ms,io,t,hole,island),"predictor_settings":{"thresh":t,"text_size":text_size,"hole_scale":hole,"island_scale":island}}
        for i,b in enumerate(boxes):
            ms,io=box(model,images,h,w,b); res["boxes"][f"b{i}"]={"box_cxcywh_normalized":list(b),"predicted_iou_by_token":io[0,0].tolist(),"masks_by_token":[rle((x>0).numpy()) for x in ms]}
        for name,s in settings.items():
            s=dict(points_per_side=6,points_per_batch=200,stability_score_offset=.5,crop_n_layers=0,crop_nms_thresh=.7,min_mask_region_area=10,level=[1,2,3,4,5,6])|s
            qi=s.pop('q_iou',.5); qs=s.pop('q_stab',.4)
            if 'pred_iou_thresh' not in s:
                cap={}
                import tasks.automatic_mask_generator as T
                g=T.SemanticSamAutomaticMaskGenerator(model,**(s|dict(pred_iou_thresh=-1e9,stability_score_thresh=-1e9,box_nms_thresh=2.,crop_nms_thresh=2.,min_mask_region_area=0)))
                o=g.generate(images)
                ious=[x['predicted_iou'] for x in o]; s['pred_iou_thresh']=round(gap(ious,qi),5)
                st=[x['stability_score'] for x in o if x['predicted_iou']>s['pred_iou_thresh']]; s['stability_score_thresh']=round(gap(st,qs),5)
                s.setdefault('box_nms_thresh',.8)
            g=SemanticSamAutomaticMaskGenerator(model,**s); 
            try: o=g.generate(images)
            except Exception as e: res["amg"][name]={"params":s,"error":repr(e)}; print(name,'official error',repr(e)); continue
            for x in o: x['area']=int(x['area']); x['segmentation']=rle(x['segmentation']); 
            res["amg"][name]={"params":s|{"token_index_for_level":[prompt_switch(l) for l in s['level']]},"count":len(o),"masks":o}
            print(out,name,len(o),{k:s[k] for k in ['pred_iou_thresh','stability_score_thresh']})
    json.dump(res,open(out+'/expected.json','w'))
if __name__=='__main__':
    G='golden/semantic_sam'
    c=configure(build.cfg('T'),swin=dict(EMBED_DIM=16,DEPTHS=[2,2,2,2],NUM_HEADS=[2,2,4,8],WINDOW_SIZE=7,MLP_RATIO=2.0),enc=dict(CONVS_DIM=64,MASK_DIM=64,TRANSFORMER_ENC_LAYERS=2),dec=dict(HIDDEN_DIM=64,DIM_FEEDFORWARD=96,DEC_LAYERS=3))
    m=build.build(c); sd=torch.load(G+'/checkpoint.pth')['model']; print(m.load_state_dict({k[6:]:v for k,v in sd.items()}))
    E=json.load(open(G+'/expected.json'))
    make('official/out/golden',0,m,Image.open(G+'/image.png').convert('RGB'),180,{k:{kk:vv for kk,vv in v['params'].items() if kk not in('output_mode','token_index_for_level')} for k,v in E['amg'].items()})
    R=json.load(open('official/out/golden/expected.json'))
    for k in E['amg']:
        print(k,E['amg'][k]['count'],R['amg'][k]['count'],[round(float(mu.iou([a['segmentation']],[b['segmentation']],[0])[0,0]),4) for a,b in zip(E['amg'][k]['masks'],R['amg'][k]['masks'])][:16])
