import shim, yaml, copy, torch
def cfg(size='T'):
    c=yaml.safe_load(open(f'official/configs/semantic_sam_only_sa-1b_swin{size}.yaml'))
    c['MODEL']['BACKBONE']['LOAD_PRETRAINED']=False
    return c
def build(c):
    import semantic_sam.architectures.interactive_mask_dino as m
    from semantic_sam import build_model
    return build_model(c).eval()
if __name__=='__main__':
    m=build(cfg('T')); print(sum(p.numel() for p in m.parameters())); print(len(m.state_dict())); print([k for k in m.state_dict() if 'backbone' not in k and 'decoder' not in k][:20])
