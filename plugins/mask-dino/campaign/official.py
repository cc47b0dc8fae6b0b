import json, sys, time, warnings; warnings.filterwarnings('ignore')
import numpy as np, torch
import io, contextlib
import shim
from PIL import Image
from detectron2.config import get_cfg
from detectron2.modeling import build_backbone
from detectron2.data import MetadataCatalog, transforms as T
from detectron2.structures import ImageList
import maskdino.modeling.pixel_decoder.maskdino_encoder as ENC, maskdino.modeling.transformer_decoder.maskdino_decoder as DEC
from pycocotools import mask as mu

def make_cfg(c):
    cfg=get_cfg(); shim.add_maskdino_config(cfg)
    m=cfg.MODEL; h=m.SEM_SEG_HEAD; d=m.MaskDINO; t=d.TEST
    m.DEVICE='cpu'; m.META_ARCHITECTURE='MaskDINO'
    h.NAME='MaskDINOHead'; h.IGNORE_VALUE=255; h.LOSS_WEIGHT=1.0; h.NORM='GN'; h.COMMON_STRIDE=4
    h.NUM_CLASSES=c['num_classes']; h.CONVS_DIM=c['conv_dim']; h.MASK_DIM=c['mask_dim']; h.DIM_FEEDFORWARD=c['encoder_dim_feedforward']
    h.TRANSFORMER_ENC_LAYERS=c['encoder_layers']; h.TOTAL_NUM_FEATURE_LEVELS=c['total_num_feature_levels']; h.NUM_FEATURE_LEVELS=len(c['transformer_in_features'])
    h.IN_FEATURES=["res2","res3","res4","res5"]; h.DEFORMABLE_TRANSFORMER_ENCODER_IN_FEATURES=c['transformer_in_features']; h.FEATURE_ORDER=c['feature_order']
    d.TRANSFORMER_DECODER_NAME='MaskDINODecoder'; d.HIDDEN_DIM=c['hidden_dim']; d.NUM_OBJECT_QUERIES=c['num_queries']; d.NHEADS=c['nheads_encoder']
    d.DIM_FEEDFORWARD=c['decoder_dim_feedforward']; d.DEC_LAYERS=c['decoder_layers']; d.TWO_STAGE=c['two_stage']; d.INITIALIZE_BOX_TYPE=c['initialize_box_type']
    d.INITIAL_PRED=c['initial_pred']; d.LEARN_TGT=c['learn_tgt']; d.SEMANTIC_CE_LOSS=c['semantic_ce_loss']; d.SIZE_DIVISIBILITY=c['size_divisibility']
    d.DROPOUT=0.0
    t.SEMANTIC_ON=c['semantic_on']; t.INSTANCE_ON=c['instance_on']; t.PANOPTIC_ON=c['panoptic_on']; t.OBJECT_MASK_THRESHOLD=c['object_mask_threshold']; t.OVERLAP_THRESHOLD=c['overlap_threshold']
    t.PANO_TEMPERATURE=c['pano_temperature']; t.PANO_TRANSFORM_EVAL=c['pano_transform_eval']; t.TEST_FOUCUS_ON_BOX=c['focus_on_box']
    cfg.TEST.DETECTIONS_PER_IMAGE=c['detections_per_image']; m.PIXEL_MEAN=c['pixel_mean']; m.PIXEL_STD=c['pixel_std']
    if c['backbone']=='r50':
        r=c['resnet']; m.BACKBONE.NAME='build_resnet_backbone'; R=m.RESNETS
        R.DEPTH=r['depth']; R.STEM_OUT_CHANNELS=r['stem_out_channels']; R.RES2_OUT_CHANNELS=r['res2_out_channels']; R.WIDTH_PER_GROUP=r['width_per_group']; R.NUM_GROUPS=r['num_groups']; R.STRIDE_IN_1X1=r['stride_in_1x1']; R.NORM=r['norm']
        R.OUT_FEATURES=["res2","res3","res4","res5"]
    else:
        m.BACKBONE.NAME='D2SwinTransformer'
        for k,v in c['swin'].items(): setattr(m.SWIN,k.upper(),v)
    name='meta_%d_%d'%(c['num_classes'],c['num_thing_classes'])
    meta=MetadataCatalog.get(name)
    if not hasattr(meta,'thing_dataset_id_to_contiguous_id'): meta.thing_dataset_id_to_contiguous_id={i:i for i in range(c['num_thing_classes'])}
    cfg.DATASETS.TRAIN=(name,)
    shim.CODE['n']=c['hidden_dim']//2
    return cfg

def build(c):
    cfg=make_cfg(c)
    with contextlib.redirect_stdout(io.StringIO()):
        model=shim.MaskDINO(cfg) if False else __import__('detectron2.modeling',fromlist=['build_model']).build_model(cfg)
    return model.eval(), cfg

def rle(m):
    r=mu.encode(np.asfortranarray(m.astype(np.uint8))); return {'size':list(r['size']),'counts':r['counts'].decode()}

@torch.no_grad()
def run(model,c,img,taps=None):
    arr=np.asarray(Image.open(img).convert('RGB')); h,w=arr.shape[:2]
    aug=T.ResizeShortestEdge([c['resize_shortest_edge']]*2,c['max_size'])
    res=aug.get_transform(arr).apply_image(arr)
    x=torch.as_tensor(np.ascontiguousarray(res.astype('float32').transpose(2,0,1)))
    t0=time.time(); out=model([{'image':x,'height':h,'width':w}])[0]; dt=time.time()-t0
    J={'original_size_hw':[h,w],'resized_size_hw':list(res.shape[:2]),'time':dt}
    if 'instances' in out:
        I=out['instances']; s=I.scores.numpy() if torch.is_tensor(I.scores) else I.scores
        o=np.argsort(-s,kind='stable')
        J['instances_sorted_by_score']=[{'score':float(s[i]),'category_id':int(I.pred_classes[i]),'bbox_xyxy':[float(v) for v in I.pred_boxes.tensor[i]],'area':int(I.pred_masks[i].sum()),'segmentation':rle(I.pred_masks[i].numpy()>0)} for i in o]
    if 'panoptic_seg' in out:
        seg,info=out['panoptic_seg']; seg=seg.numpy()
        J['panoptic']={'segments_info':[dict(i,area=int((seg==i['id']).sum()),segmentation=rle(seg==i['id'])) for i in info],'thing_class_ids':list(range(c['num_thing_classes']))}
    if 'sem_seg' in out:
        a=out['sem_seg'].argmax(0).numpy()
        J['semantic']={'shape':list(out['sem_seg'].shape),'masks_by_class':{str(k):rle(a==k) for k in np.unique(a)}}
    return J
if __name__=='__main__':
    torch.set_num_threads(1)
    for f in sys.argv[1:]:
        c=json.load(open(f+'/config.json')); model,cfg=build(c)
        sd=torch.load(f+'/checkpoint.pth',weights_only=False)['model']
        r=model.load_state_dict({k:torch.as_tensor(v) for k,v in sd.items()},strict=False); print(f, r)
        J=run(model,c,f+'/image.png'); E=json.load(open(f+'/expected.json'))
        if 'instances_sorted_by_score' in J:
            a=J['instances_sorted_by_score'];b=E['instances_sorted_by_score']; print('inst',len(a),len(b),max(abs(x['score']-y['score']) for x,y in zip(a,b)),sum(x['segmentation']==y['segmentation'] for x,y in zip(a,b)))
        if 'panoptic' in J: print('pan',[ (x['area'],y['area']) for x,y in zip(J['panoptic']['segments_info'],E['panoptic']['segments_info'])])
        if 'semantic' in J: print('sem',[J['semantic']['masks_by_class'][k]==E['semantic']['masks_by_class'][k] for k in E['semantic']['masks_by_class']])
        print(J['time'])
