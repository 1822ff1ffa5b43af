"""Writes clustered vectors as NumPy input, queries of the same kind, and the exact answers
to the first of them: make-input.py DIRECTORY ROWS."""
import json
import sys

import faiss
import numpy as np

DIMENSIONS, CLUSTERS, TOPICS, QUERIES, JUDGED, K, BLOCK = 512, 4, 64, 1_024, 256, 10, 10_000
# Embeddings of texts vary in far fewer directions than they have dimensions.
LATENT, OF_CLUSTERS, OF_TOPICS, OF_ITEMS, NOISE = 24, 1.5, 0.7, 0.6, 0.02

directory, rows = sys.argv[1], int(sys.argv[2])
random = np.random.default_rng(1)
directions = random.standard_normal((LATENT, DIMENSIONS), dtype='f4')
topics = OF_TOPICS * random.standard_normal((TOPICS, LATENT), dtype='f4')
topics += OF_CLUSTERS * np.tile(random.standard_normal((CLUSTERS, LATENT), dtype='f4'), (TOPICS // CLUSTERS, 1))


def draw(count):
    """Unit vectors [count, DIMENSIONS] around topics, and the cluster of each."""
    chosen = np.arange(count) % TOPICS
    latent = topics[chosen] + OF_ITEMS * random.standard_normal((count, LATENT), dtype='f4')
    vectors = latent @ directions + NOISE * random.standard_normal((count, DIMENSIONS), dtype='f4')
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, chosen % CLUSTERS


vectors, clusters = np.empty((rows, DIMENSIONS), 'f4'), np.empty(rows, 'i4')
for start in range(0, rows, BLOCK):
    end = min(rows, start + BLOCK)
    vectors[start:end], clusters[start:end] = draw(end - start)
centroids = np.stack([vectors[clusters == cluster].mean(axis=0) for cluster in range(CLUSTERS)])
queries, _ = draw(QUERIES)
index = faiss.IndexFlatIP(DIMENSIONS)
index.add(vectors)
_, exact = index.search(queries[:JUDGED], K)

np.save(f'{directory}/input/vectors.npy', vectors)
np.save(f'{directory}/input/clusters.npy', clusters)
np.save(f'{directory}/input/centroids.npy', centroids)
with open(f'{directory}/input/items.jsonl', 'w') as file:
    for row in range(rows):
        print(json.dumps({'id': f'i{row}', 'title': f'What is the answer to question number {row}?'}), file=file)
with open(f'{directory}/queries.json', 'w') as file:
    json.dump({'vectors': np.round(queries.astype('f8'), 8).tolist(), 'exact': exact.tolist()}, file)
