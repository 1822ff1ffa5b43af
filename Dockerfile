# One image for the three services, by its argument: gateway, index or extraction; and for relays, by their entry.
ARG BASE=node:24-slim

# Everything but the packages.
FROM ${BASE} AS service
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
WORKDIR /app
COPY package.json ./
COPY lib lib
COPY services services
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "services/ask.mjs", "/readyz"]
ENTRYPOINT ["node", "services/main.ts"]
CMD ["gateway"]

# On a base that brings the packages in /app/node_modules. Relays run as whoever logs in to the node, mostly root.
FROM service AS machine
RUN ["node", "services/compile.mjs", "/app/compiled", "0"]
RUN ["node", "services/compile.mjs", "/app/compiled", "1000"]
ENV NODE_COMPILE_CACHE=/app/compiled
# Nothing is written: the root file system may be read-only.
USER 1000:1000

# No package needs its install script here: their binaries come with them, and Node.js with the base.
FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node
# onnxruntime brings its binaries for every platform.
RUN find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 ! -path "*/linux/$(node -p process.arch)" -exec rm -r {} +

FROM service
COPY --from=packages /app/node_modules node_modules
RUN ["node", "services/compile.mjs", "/app/compiled", "0"]
RUN ["node", "services/compile.mjs", "/app/compiled", "1000"]
ENV NODE_COMPILE_CACHE=/app/compiled
USER 1000:1000
