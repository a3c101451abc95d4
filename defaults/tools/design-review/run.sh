#!/bin/sh
# The tool with the Node that stands beside it.
here=$(dirname "$0")
exec "$here/node" "$here/review/main.mjs" "$@"
