import gzip, json, os
from transformers import CLIPTokenizer
os.makedirs('tok',exist_ok=True)
m=gzip.open('venv/lib/python3.11/site-packages/open_clip/bpe_simple_vocab_16e6.txt.gz').read().decode().split('\n')[1:49152-256-2+1]
def b2u():
    bs=list(range(33,127))+list(range(161,173))+list(range(174,256)); cs=bs[:]; n=0
    for b in range(256):
        if b not in bs: bs.append(b); cs.append(256+n); n+=1
    return [chr(c) for c in cs]
v=b2u(); v=v+[x+'</w>' for x in v]+[''.join(x.split()) for x in m]+['<|startoftext|>','<|endoftext|>']
json.dump({k:i for i,k in enumerate(v)},open('tok/vocab.json','w'))
open('tok/merges.txt','w').write('#version: 0.2\n'+'\n'.join(m)+'\n')
t=CLIPTokenizer('tok/vocab.json','tok/merges.txt')
t.add_special_tokens({'cls_token': t.eos_token})
out=[]
for s in ["cup","Dining Table","wine-glass's","café","3rd rail 1984","it's what they've","don't_stop","a+b (c) & d/e","stop-sign, red","Ünïcode Straße","  two   spaces ","日本語","人 tree","naïve façade","emoji 🙂 cat","’curly’ s","ＡＢＣ","ﬁre","x²","<|endoftext|> cup","Σίσυφος","ΣΟΦΟΣ","e\u0301cole","cup\tsaucer","A.B.C.","tv/monitor","women's 1.5L bottle","ЁЖ"]:
    out.append([s,t(s)['input_ids'][1:-1]])
json.dump(out,open('ids.json','w'),ensure_ascii=False)
for o in out: print(o)
