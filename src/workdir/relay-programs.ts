/**
 * The programs that git inside the container runs to reach the worker: POSIX sh, git and the usual small tools, so that
 * any image with git will do. They have no rights of their own: an agent could write everything they write into the
 * outbox, and the worker treats it so. (Rejected: a socket, which needs a client in every image.)
 */

import { CLEAN_PROGRAM, SMUDGE_PROGRAM } from './lfs-filter.ts';
import type { RelayPaths } from './port.ts';

/** The files in `programs`: name → text. All but `ask` are run. */
export function relayPrograms(relay: RelayPaths): Record<string, string> {
  return {
    ask: ask(relay),
    'upload-pack': program(relay, UPLOAD_PACK),
    'receive-pack': program(relay, RECEIVE_PACK),
    sign: program(relay, SIGN),
    'lfs-clean': program(relay, CLEAN_PROGRAM),
    'lfs-smudge': program(relay, SMUDGE_PROGRAM),
    'hooks/pre-receive': program(relay, PRE_RECEIVE),
  };
}

/** Quoted for a shell, and for git settings that git passes to a shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function program(relay: RelayPaths, body: string): string {
  return `#!/bin/sh\n. ${shellQuoted(`${relay.root}/programs/ask`)}\n${body}`;
}

// noclobber gives each id to one process only: processes of one dispatch may live in several pid namespaces and have
// the same pid.
function ask(relay: RelayPaths): string {
  return `root=${shellQuoted(relay.root)}
origin=${shellQuoted(relay.origin)}

say() {
  echo "claude-hooks: $*" >&2
}

# begin <kind>: sets id, and box, the beginning of the names of its files
begin() {
  n=0
  while :; do
    id=$1-$$-$n
    box=$root/outbox/$id
    if [ ! -e "$root/answers/$id.answer" ] && (set -C && : >"$box.claim") 2>/dev/null; then return 0; fi
    n=$((n + 1))
    if [ "$n" -gt 200 ]; then
      say "cannot write to $root/outbox. Check that it is mounted to write and that the disk is not full."
      exit 1
    fi
  done
}

# wait_for <seconds>: hands the request over; sets verdict to ok, no or late, and prints what the worker says
wait_for() {
  : >"$box.ready" || exit 1
  left=$(($1 * 20))
  while [ ! -e "$root/answers/$id.answer" ]; do
    if [ "$left" -le 0 ]; then
      verdict=late
      return 0
    fi
    left=$((left - 1))
    sleep 0.05 2>/dev/null || {
      sleep 1
      left=$((left - 19))
    }
  done
  {
    read -r verdict
    cat >&2
  } <"$root/answers/$id.answer"
}

finish() {
  rm -f "$box.refs" "$box.pack" "$box.data" "$box.ready" "$box.claim"
}
`;
}

// `safe.directory`: in some engines the worker's files belong to another user.
const UPLOAD_PACK = `begin fetch
wait_for 8
finish
if [ "$verdict" = late ]; then say "the forge has not answered yet; this is what was known of it before."; fi
exec git -c safe.directory='*' upload-pack "$@"
`;

// Brings in what others have pushed meanwhile, which only the mirror has; without it git would call every
// --force-with-lease stale. Not while another push is under way: its old value would be gone before it is done.
const RECEIVE_PACK = `busy=no
for file in "$root"/outbox/push-*; do
  if [ -e "$file" ]; then busy=yes; fi
done
if [ "$busy" = no ]; then
  git --git-dir="$root/push.git" -c gc.auto=0 -c maintenance.auto=false fetch --quiet --prune --no-tags \\
    --no-write-fetch-head --upload-pack="git -c safe.directory='*' upload-pack" "$origin" \\
    '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' </dev/null >/dev/null 2>&1
fi
exec git -c safe.directory='*' receive-pack "$@"
`;

const PRE_RECEIVE = `begin push
cat >"$box.refs"
new=$(while read -r _ sha _; do
  case $sha in *[!0]*) echo "$sha" ;; esac
done <"$box.refs")
if [ -n "$new" ]; then
  {
    echo "$new"
    echo --not
    (
      unset GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_QUARANTINE_PATH
      git --git-dir="$origin" for-each-ref '--format=%(objectname)' refs/heads refs/tags
    )
  } | git pack-objects -q --revs --thin --stdout --delta-base-offset >"$box.pack" || {
    say "the commits could not be packed. Run git fsck, mend what it names, and push again."
    finish
    exit 1
  }
fi
wait_for 900
finish
if [ "$verdict" = late ]; then say "no answer within 15 minutes. Your commits are safe in the checkout; push again."; fi
[ "$verdict" = ok ]
`;

// git calls this in place of ssh-keygen: to sign, and to verify, for which the worker is not needed.
const SIGN = `verb= before= last=
for word in "$@"; do
  if [ "$before" = -Y ]; then verb=$word; fi
  before=$word last=$word
done
if [ "$verb" != sign ]; then exec ssh-keygen "$@"; fi
begin sign
cat "$last" >"$box.data"
wait_for 60
finish
if [ "$verdict" = late ]; then say "nobody signed within a minute. Commit again."; fi
[ "$verdict" = ok ] && cat "$root/answers/$id.sig" >"$last.sig"
`;
