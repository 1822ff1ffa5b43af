"""faiss IndexFlatIP over the same vectors: answers "<queries per call>" on stdin with seconds, ids and scores."""
import json
import sys
import time

import faiss
import numpy

vectors_path, queries_path, dimensions, k = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
faiss.omp_set_num_threads(1)
index = faiss.IndexFlatIP(dimensions)
index.add(numpy.load(vectors_path, mmap_mode='r'))
queries = numpy.fromfile(queries_path, dtype='<f4').reshape(-1, dimensions)
index.search(queries[:1], k)
print('ready', flush=True)

for line in sys.stdin:
    size = int(line)
    started = time.perf_counter()
    found = [index.search(queries[first:first + size], k) for first in range(0, len(queries), size)]
    seconds = time.perf_counter() - started
    scores = numpy.concatenate([scores for scores, _ in found])
    ids = numpy.concatenate([ids for _, ids in found])
    print(json.dumps({'seconds': seconds, 'ids': ids.tolist(), 'scores': scores.tolist()}), flush=True)
