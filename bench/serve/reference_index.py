"""The reference system's index service over the same vectors: reference_index.py DIRECTORY CLUSTER PORT."""
import json
import sys

import faiss
import numpy as np
from flask import Flask, jsonify, request

NEAREST = 20

directory, cluster, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rows = np.flatnonzero(np.load(f'{directory}/input/clusters.npy') == cluster)
index = faiss.IndexFlatL2(512)
index.add(np.load(f'{directory}/input/vectors.npy', mmap_mode='r')[rows])
with open(f'{directory}/input/items.jsonl') as file:
    titles = [json.loads(line)['title'] for line in file]
app = Flask(__name__)


@app.route('/get_best_from_k', methods=['POST'])
def get_best_from_k():
    emb = np.array(request.json['emb'], dtype='f4').reshape(1, -1)
    _, found = index.search(emb, NEAREST)
    nearest = rows[found[0]]
    # The reference answers one of these at random; all of them are told here, so that its recall can be measured.
    best = nearest[np.random.randint(NEAREST)]
    return jsonify({'best_match': titles[best], 'cluster_id': str(cluster), 'nearest': nearest.tolist()})


app.run(host='127.0.0.1', port=port)
