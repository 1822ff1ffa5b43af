"""What the reference splitter (scripts/file_splitter.py) does for one generation, step by step: peer.py INPUT OUTPUT."""
import json
import os
import pickle
import sys

import faiss
import joblib
import numpy as np

CLUSTERS = ["0", "1", "2", "3"]
source, output = sys.argv[1:]


def read_texts():
    """It reads the listing twice: for the sentences, and again for the vectors."""
    with open(f"{source}/clusters_use_dg1.json") as file:
        return json.load(file)


texts = read_texts()
for cluster in CLUSTERS:
    os.makedirs(f"{output}/clust_{cluster}", exist_ok=True)
    with open(f"{output}/clust_{cluster}/sentences.json", "w") as file:
        json.dump(texts[cluster], file)

texts = read_texts()
with open(f"{source}/use_embeddings_dg1.pkl", "rb") as file:
    embeddings = pickle.load(file)
for cluster in CLUSTERS:
    vectors = np.vstack([embeddings[text] for text in texts[cluster]])
    index = faiss.IndexFlatL2(512)
    index.add(vectors)
    joblib.dump(index, f"{output}/clust_{cluster}/index")

with open(f"{source}/clusters_centers_use_dg1.pkl", "rb") as file:
    centres = pickle.load(file)
np.save(f"{output}/clust_centers", np.array([centres[cluster] for cluster in CLUSTERS]))
