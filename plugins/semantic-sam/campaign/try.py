import sys; sys.path.insert(0,'.')
import official as o, time
from pathlib import Path
o.official_project(Path('official'))
c=o.Case(Path('official/peers'),Path('official'),Path('..png'),'swint','cpu',8)
print(c.parameters.read_text())
