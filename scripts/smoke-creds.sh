#!/bin/sh
# Are the credentials accepted, and does every agent's container keep a conversation?
# The same as `claude-hooks smoke`, for cron and for whoever has no claude-hooks in PATH. Arguments are passed on:
#   scripts/smoke-creds.sh --config /etc/claude-hooks/claude-hooks.yaml [--json] [--live]
# Exit code 0: all is well.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

# A Node of the installation's own comes first: the machine's may be too old.
node=$root/node_modules/.bin/node
[ -x "$node" ] || node=$(command -v node) || {
  echo "smoke-creds.sh: no node found. Install Node 24, or run npm ci in $root." >&2
  exit 1
}

for cli in "$root/dist/src/cli.js" "$root/src/cli.ts"; do
  if [ -f "$cli" ]; then
    # --config belongs before the command.
    if [ "${1-}" = --config ] || [ "${1-}" = -c ]; then
      file=${2-}
      [ -n "$file" ] || {
        echo "smoke-creds.sh: --config needs a file." >&2
        exit 1
      }
      shift 2
      exec "$node" "$cli" --config "$file" smoke "$@"
    fi
    exec "$node" "$cli" smoke "$@"
  fi
done
echo "smoke-creds.sh: no dist/src/cli.js and no src/cli.ts in $root. Run npm run build, or install the package again." >&2
exit 1
