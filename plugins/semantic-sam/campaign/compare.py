import json,sys,subprocess,glob,os,numpy as np
from PIL import Image
from pycocotools import mask as mu
SOM=sys.argv[1]; names=sys.argv[2:] or sorted(os.path.basename(d) for d in glob.glob('official/out/*') if os.path.isdir(d))
def run(d,args):
    w='golden/semantic_sam' if d.endswith('golden') else d
    c=[SOM,'segment',d+'/image.png','--segmenter','semantic-sam','--set',f'weights={w}/checkpoint.pth','--set',f'config={w}/config.json','--set','device=cpu','--json','official/out.json']+args
    r=subprocess.run(c,capture_output=True,text=True,cwd='official')
    if r.returncode: return None,r.stderr
    return json.load(open('official/out.json'))['regions'],''
def back(rle,w,h):
    a=Image.fromarray(mu.decode(rle)).resize((w,h),Image.NEAREST); r=mu.encode(np.asfortranarray(np.asarray(a))); return r
bad=0; total=0; worst=1
for n in names:
    d='official/out/'+n; e=json.load(open(d+'/expected.json')); h,w=e['original_size_hw']
    cases=[]
    for k,s in e['amg'].items():
        if 'error' in s: cases.append((k,s,None)); continue
        a=[]
        for p,v in s['params'].items():
            if p not in('output_mode','token_index_for_level'): a+=['--set',f'{p}={json.dumps(v)}']
        cases.append((k,a,[(m['segmentation'],m['predicted_iou'],m['stability_score'],m['point_coords'][0]) for m in s['masks']]))
    for k,c in e['interactive'].items():
        if c['point_xy_normalized'] is None: continue
        x,y=c['point_xy_normalized']; hint=['--hint',f'point:{x*w},{y*h}']
        cases.append((k,hint,[(m,i,None,None) for m,i in zip(c['masks_by_token'],c['predicted_iou_by_token'])]))
        p=c['predictor_settings']; cases.append((k+'.sel',hint+sum((['--set',f'{q}={p[q]}'] for q in('thresh','hole_scale','island_scale')),[]),[(m['mask'],None,None,None) for m in c['selected']]))
    for k,c in e.get('boxes',{}).items():
        cx,cy,bw,bh=c['box_cxcywh_normalized']; hint=['--hint',f'box:{(cx-bw/2)*w},{(cy-bh/2)*h},{bw*w},{bh*h}']
        cases.append((k,hint,[(m,i,None,None) for m,i in zip(c['masks_by_token'],c['predicted_iou_by_token'])]))
    for k,a,exp in cases:
        total+=1
        if exp is None: print(n,k,'official fails',a['error']); continue
        got,err=run(d,a)
        if got is None: print(n,k,'ERROR',err.strip()); bad+=1; continue
        # empty ones are left out
        exp=[(back(m,w,h),*r) for m,*r in exp]; exp=[x for x in exp if mu.area(x[0])>0]
        if len(got)!=len(exp): print(n,k,'COUNT',len(got),len(exp)); bad+=1; continue
        wi=1; ws=0; wst=0; wp=0
        for g,(m,i,s,p) in zip(got,exp):
            wi=min(wi,float(mu.iou([g['segmentation']],[m],[0])[0,0]))
            if i is not None: ws=max(ws,abs(g['extra']['predicted_iou']-i))
            if s is not None: wst=max(wst,abs(g['extra']['stability_score']-s)); wp=max(wp,max(abs(a-b) for a,b in zip(g['extra']['point_coords'][0],p)))
        worst=min(worst,wi)
        ok= wi>=.99 and ws<1e-3 and wst<5e-3 and wp<1e-6
        if not ok: bad+=1
        print(n,k,len(got),'iou %.5f score %.1e stab %.1e pt %.0e'%(wi,ws,wst,wp),'' if ok else 'BAD')
print(total,'cases,',bad,'bad, worst IoU',worst)
