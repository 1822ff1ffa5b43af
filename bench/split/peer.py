"""What the reference splitter does, with NumPy and faiss: peer.py INPUT OUTPUT."""
import json
import os
import pickle
import sys

import faiss
import joblib
import numpy as np

source, output = sys.argv[1:]
with open(f"{source}/clusters_use_dg1.json") as file:
    texts = json.load(file)
with open(f"{source}/use_embeddings_dg1.pkl", "rb") as file:
    embeddings = pickle.load(file)
with open(f"{source}/clusters_centers_use_dg1.pkl", "rb") as file:
    centres = pickle.load(file)

for cluster in texts:
    directory = f"{output}/clust_{cluster}"
    os.makedirs(directory)
    with open(f"{directory}/sentences.json", "w") as file:
        json.dump(texts[cluster], file)
    index = faiss.IndexFlatL2(512)
    index.add(np.vstack([embeddings[text] for text in texts[cluster]]))
    joblib.dump(index, f"{directory}/index")
np.save(f"{output}/clust_centers", np.array([centres[cluster] for cluster in texts]))
