"""Runs a command and writes how long it took and how much memory it had at most: measure.py REPORT COMMAND..."""
import json
import resource
import subprocess
import sys
import time

started = time.monotonic()
code = subprocess.call(sys.argv[2:])
seconds = time.monotonic() - started
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open(sys.argv[1], "w") as file:
    json.dump({"seconds": seconds, "peakMiB": peak / 1024}, file)
sys.exit(code)
