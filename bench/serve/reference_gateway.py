"""The reference system's gateway, asked by vector: reference_gateway.py DIRECTORY PORT INDEX_PORT... [nearest|farthest]."""
import sys

import numpy as np
import requests
from flask import Flask, jsonify, request

directory, port, *indexes, route = sys.argv[1:]
centroids = np.load(f'{directory}/input/centroids.npy')
centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
app = Flask(__name__)


@app.route('/input', methods=['POST'])
def answer():
    emb = request.json['vector']
    similarity = centroids @ np.array(emb, dtype='f4')
    # The reference takes the least similar centre; that costs what the most similar one costs.
    cluster = int(similarity.argmax() if route == 'nearest' else similarity.argmin())
    reply = requests.post(f'http://127.0.0.1:{indexes[cluster]}/get_best_from_k', json={'emb': emb}).json()
    return jsonify({'best_match': reply['best_match'], 'cluster': str(cluster), 'nearest': reply['nearest']})


app.run(host='127.0.0.1', port=int(port))
