#!/bin/sh
# Anywhere with an engine: the checkout's own user, a read-only root, a journal that outlives the container.
set -eu
docker run --rm --init=false --read-only --tmpfs /tmp \
    --user "$(id -u):$(id -g)" \
    --volume "$PWD:/harness" \
    --volume "${TFEVENTS_JOURNAL:?name a directory of yours for the journal}:/journal" --env PLUGIN_HOME=/journal \
    --env PLUGIN_COMMAND="${1:-plan}" \
    --env PLUGIN_ORG=default --env PLUGIN_PROJECT=infra --env PLUGIN_WORKSPACE=prod_network \
    --env PLUGIN_API_KEY \
    registry.example/tfevents:0.1.0
