"""hnswlib over the same vectors, built and searched on one thread: answers "<ef> <queries per call>" on stdin with seconds and ids."""
import json
import sys
import time

import hnswlib
import numpy

vectors_path, queries_path, dimensions, k = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
connectivity, ef_construction = int(sys.argv[5]), int(sys.argv[6])
vectors = numpy.load(vectors_path, mmap_mode='r')
index = hnswlib.Index(space='ip', dim=dimensions)
index.init_index(max_elements=len(vectors), ef_construction=ef_construction, M=connectivity)
index.set_num_threads(1)
for first in range(0, len(vectors), 8192):
    index.add_items(vectors[first:first + 8192], range(first, min(first + 8192, len(vectors))))
queries = numpy.fromfile(queries_path, dtype='<f4').reshape(-1, dimensions)
index.knn_query(queries[:1], k=k)
print('ready', flush=True)

for line in sys.stdin:
    ef, size = (int(word) for word in line.split())
    index.set_ef(ef)
    started = time.perf_counter()
    found = [index.knn_query(queries[first:first + size], k=k) for first in range(0, len(queries), size)]
    seconds = time.perf_counter() - started
    ids = numpy.concatenate([labels for labels, _ in found])
    scores = 1 - numpy.concatenate([distances for _, distances in found])
    print(json.dumps({'seconds': seconds, 'ids': ids.tolist(), 'scores': scores.tolist()}), flush=True)
