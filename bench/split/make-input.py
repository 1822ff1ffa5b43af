"""Writes raw input of the reference system: make-input.py DIRECTORY ROWS."""
import json
import pickle
import sys

import numpy as np

DIMENSIONS, CLUSTERS, BLOCK = 512, 4, 10_000

directory, rows = sys.argv[1], int(sys.argv[2])
random = np.random.default_rng(1)
centres = random.standard_normal((CLUSTERS, DIMENSIONS)).astype("f4")
centres /= np.linalg.norm(centres, axis=1, keepdims=True)

embeddings, texts = {}, {str(cluster): [] for cluster in range(CLUSTERS)}
for start in range(0, rows, BLOCK):
    count = min(BLOCK, rows - start)
    homes = random.integers(0, CLUSTERS, count)
    vectors = centres[homes] + random.standard_normal((count, DIMENSIONS)).astype("f4") * 0.05
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    topics = random.integers(0, 1000, count)
    for row in range(count):
        text = f"What is the answer to question number {start + row} about topic {topics[row]}?"
        embeddings[text] = vectors[row].astype("f4").copy()
        texts[str(homes[row])].append(text)

with open(f"{directory}/use_embeddings_dg1.pkl", "wb") as file:
    pickle.dump(embeddings, file)
with open(f"{directory}/clusters_use_dg1.json", "w") as file:
    json.dump(texts, file)
with open(f"{directory}/clusters_centers_use_dg1.pkl", "wb") as file:
    pickle.dump({str(cluster): centres[cluster] for cluster in range(CLUSTERS)}, file)
