"""Fresh official networks of odd sizes, and what they find: cases in the fixture's layout."""
from oseed import *
import json, sys
from pycocotools import mask as coco
T='configs/openseed/openseed_swint_lang.yaml'; L='configs/openseed/openseed_swinl_lang_decouple.yaml'
def rle(m):
    r=coco.encode(np.asfortranarray(m.astype(np.uint8))); r['counts']=r['counts'].decode(); return r
BASE={'MODEL.TEXT.WIDTH':6,'MODEL.TEXT.HEADS':2,'MODEL.TEXT.LAYERS':2}
def case(name, config, over, image, short, things, stuff, seed, template=None):
    over={**BASE, **over}
    opt,m=build(config, over, seed)
    g=torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for n,p in m.model.named_parameters():
            if p.dim()<=1:
                if 'norm' in n and n.endswith('weight'): p.copy_(1+0.3*torch.randn(p.shape,generator=g))
                else: p.copy_(p+0.2*torch.randn(p.shape,generator=g)) if n!='sem_seg_head.predictor.lang_encoder.logit_scale' else p.fill_(3.0)
            elif p.numel()>0:
                fan=p[0].numel(); 
                if 'embedding' in n or 'embed' in n.split('.')[-1] : p.copy_(torch.randn(p.shape,generator=g)*0.5)
                elif 'sampling_offsets' in n: p.copy_(torch.randn(p.shape,generator=g)*0.3)
                else: p.copy_(torch.randn(p.shape,generator=g)/fan**0.5*1.3)
        # boxes that differ
        b=m.model.sem_seg_head.predictor._bbox_embed.layers[-1]; b.weight.copy_(torch.randn(b.weight.shape,generator=g)*0.3); b.bias.zero_()
        m.model.sem_seg_head.pixel_decoder.mask_features.weight.mul_(3)
    d=f'official/cases/{name}'; os.makedirs(d,exist_ok=True)
    image.save(d+'/image.png'); torch.save(m.model.state_dict(), d+'/checkpoint.pt')
    M=opt['MODEL']; dec=M['DECODER']
    eff={'model':M['NAME'],'dim_proj':M['DIM_PROJ'],'text':M['TEXT'],'swin':M['BACKBONE']['SWIN'],'encoder':M['ENCODER'],'decoder':{k:v for k,v in dec.items() if k!='TEST'},'test':dec['TEST'],'detections_per_image':opt['COCO']['TEST']['DETECTIONS_PER_IMAGE'],'pixel_mean':[123.675,116.28,103.53],'pixel_std':[58.395,57.12,57.375],'input_format':'RGB'}
    cfg={'official_config':config,'overrides':over,'effective':eff,'capture':{'thing_classes':things,'stuff_classes':stuff,'resize_short_side':short,'object_mask_threshold':dec['TEST']['OBJECT_MASK_THRESHOLD'],'overlap_threshold':dec['TEST']['OVERLAP_THRESHOLD']}}
    json.dump(cfg,open(d+'/config.json','w'),indent=1)
    classes(m, things, stuff)
    names=things+stuff
    out={'names':names,'things':things}
    try:
        r=run(m, d+'/image.png', short, 'seg')
    except Exception as e:
        print(name,'official fails:',repr(e)[:200]); json.dump({**out,'fails':repr(e)},open(d+'/expected.json','w')); return
    seg,info=r['panoptic_seg']; seg=seg.numpy()
    out['panoptic']=[{'label':names[i['category_id']],'thing':i['isthing'],'segmentation':rle(seg==i['id'])} for i in info]
    sem=r['sem_seg']; am=sem.argmax(0).numpy()
    top=sem.topk(2,0)[0] if len(names)>1 else None
    out['semantic_close']=int(((top[0]-top[1])/top[0].abs()<1e-5).sum()) if top is not None else 0
    out['semantic']=[{'label':n,'segmentation':rle(am==i)} for i,n in enumerate(names) if (am==i).any()]
    for key,task in (('instance','inst_seg'),('instance_of_seg','seg'),('detection','det')):
        r=run(m, d+'/image.png', short, task); I=r['instances']
        o=I.scores.argsort(descending=True,stable=True)
        L_=[]
        for k in o.tolist():
            e={'label':names[int(I.pred_classes[k])],'score':float(I.scores[k]),'box':[float(x) for x in I.pred_boxes.tensor[k]]}
            if task!='det': e['segmentation']=rle(I.pred_masks[k].numpy()>0)
            L_.append(e)
        out[key]=L_
    json.dump(out,open(d+'/expected.json','w'))
    print(name, 'panoptic',len(out['panoptic']),'semantic',len(out['semantic']),'instances',[round(x['score'],3) for x in out['instance'][:4]], 'areas',[int(coco.area(x['segmentation'])) for x in out['instance'][:4]])
coffee=Image.open('..png').convert('RGB')
rng=np.random.RandomState(0)
def im(w,h): return coffee.resize((max(w,h)*2,max(w,h)*2)).crop((13,7,13+w,7+h))
small={'MODEL.BACKBONE.SWIN.EMBED_DIM':12,'MODEL.BACKBONE.SWIN.DEPTHS':[2,2,2,2],'MODEL.BACKBONE.SWIN.NUM_HEADS':[2,3,4,6],'MODEL.BACKBONE.SWIN.MLP_RATIO':2.0,'MODEL.DIM_PROJ':20,'MODEL.ENCODER.CONVS_DIM':64,'MODEL.ENCODER.MASK_DIM':40,'MODEL.ENCODER.TRANSFORMER_ENC_LAYERS':2,'MODEL.DECODER.HIDDEN_DIM':64,'MODEL.DECODER.NUM_OBJECT_QUERIES':30,'MODEL.DECODER.DIM_FEEDFORWARD':72,'MODEL.DECODER.DEC_LAYERS':2,'COCO.TEST.DETECTIONS_PER_IMAGE':25,'MODEL.DECODER.TEST.OBJECT_MASK_THRESHOLD':0.3,'MODEL.DECODER.TEST.OVERLAP_THRESHOLD':0.3}
odd={**small,'MODEL.BACKBONE.SWIN.EMBED_DIM':10,'MODEL.BACKBONE.SWIN.DEPTHS':[1,3,1,2],'MODEL.BACKBONE.SWIN.NUM_HEADS':[1,5,2,8],'MODEL.BACKBONE.SWIN.WINDOW_SIZE':5,'MODEL.ENCODER.TRANSFORMER_ENC_LAYERS':1,'MODEL.DECODER.DEC_LAYERS':4,'MODEL.DIM_PROJ':7,'MODEL.TEXT.WIDTH':15,'MODEL.TEXT.HEADS':3,'MODEL.DECODER.NUM_OBJECT_QUERIES':17,'COCO.TEST.DETECTIONS_PER_IMAGE':9}
dec={**small,'MODEL.DECODER.NUM_OBJECT_QUERIES_TEST':21,'MODEL.BACKBONE.SWIN.WINDOW_SIZE':6}
things=['cup','spoon','dog']; stuff=['table','wall-other','a very long name of stuff','sky']
if __name__=='__main__':
    which=sys.argv[1:]
    C=[
     ('t_square',T,small,im(200,200),160,things,stuff,1),
     ('t_wide',T,small,im(420,90),64,things,stuff,2),
     ('t_tall',T,small,im(61,333),70,things,stuff,3),
     ('t_shrink',T,small,im(640,480),96,things,stuff,4),
     ('t_grow',T,small,im(37,29),130,things,stuff,5),
     ('t_pixel',T,small,im(1,1),96,things,stuff,6),
     ('t_line',T,small,im(300,2),64,things,[],7),
     ('t_one_class',T,small,im(150,120),100,['cup'],[],8),
     ('t_odd',T,odd,im(233,177),111,things,stuff,9),
     ('t_odd_res2',T,{**odd,'MODEL.ENCODER.DEFORMABLE_TRANSFORMER_ENCODER_IN_FEATURES':['res2','res3','res4','res5'],'MODEL.ENCODER.TOTAL_NUM_FEATURE_LEVELS':5,'MODEL.ENCODER.NUM_FEATURE_LEVELS':4,'MODEL.DECODER.TOTAL_NUM_FEATURE_LEVELS':5},im(233,177),96,things,stuff,10),
     ('l_square',L,dec,im(180,180),128,things,stuff,11),
     ('l_wide',L,dec,im(380,100),96,things,stuff,12),
     ('l_tall',L,dec,im(77,301),80,things,stuff,13),
     ('l_pixel',L,dec,im(1,1),64,things,stuff,14),
     ('l_many_classes',L,dec,im(160,140),96,[f'thing {i}' for i in range(40)],[f'stuff number {i}' for i in range(30)],15),
    ]
    for c in C:
        if not which or c[0] in which: case(*c)
