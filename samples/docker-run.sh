#!/bin/sh
# Anywhere with an engine: any user, a read-only root, one writable directory.
set -eu
docker run --rm --init=false --read-only --tmpfs /tmp \
    --user "$(id -u):$(id -g)" \
    --volume "$PWD:/harness" \
    --env PLUGIN_COMMAND="${1:-plan}" \
    --env PLUGIN_ORG=default --env PLUGIN_PROJECT=infra --env PLUGIN_WORKSPACE=prod_network \
    --env PLUGIN_API_KEY \
    registry.example/tfevents:0.1.0
