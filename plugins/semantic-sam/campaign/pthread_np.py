import zipfile,pickle,numpy as np,io,collections
D={'FloatStorage':np.float32,'LongStorage':np.int64,'BoolStorage':np.bool_,'IntStorage':np.int32,'DoubleStorage':np.float64}
def load(path):
    z=zipfile.ZipFile(path); root=[n for n in z.namelist() if n.endswith('data.pkl')][0][:-8]
    def rebuild(storage,off,size,stride,*a):
        return np.lib.stride_tricks.as_strided(storage[off:],size,[s*storage.itemsize for s in stride]).copy()
    class U(pickle.Unpickler):
        def find_class(self,m,n):
            if n=='_rebuild_tensor_v2': return rebuild
            if n=='_rebuild_parameter': return lambda d,*a:d
            if n.endswith('Storage'): return D[n]
            if n=='OrderedDict': return collections.OrderedDict
            return super().find_class(m,n)
        def persistent_load(self,pid):
            _,t,key,_,n=pid
            return np.frombuffer(z.read(root+'data/'+key),t)
    return U(io.BytesIO(z.read(root+'data.pkl'))).load()
