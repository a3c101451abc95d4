/**
 * The filter "lfs" where git-lfs is not installed; without it git would commit the file's content. In a checkout it is
 * two shell programs of the relay. Where the machine configures git-lfs, that one is used first (git asks
 * `filter.lfs.process` before these). The worker's git has only `CLEAN`, a command of ours in its environment: a
 * repository may say for which paths it runs, but not what runs.
 */
import { POINTER_BEGINS } from './lfs-pointer.ts';

// No percent sign may stand here: git replaces those in a filter's command.
const MEASURE = `size=$(($(wc -c <"$file")))
if [ "$size" -eq 0 ] || { [ "$size" -lt 1024 ] && head -n 1 "$file" | grep -qxF '${POINTER_BEGINS}'; }; then
  cat "$file"
  exit
fi
oid=$(sha256sum <"$file" | cut -c 1-64)
if [ "\${#oid}" -ne 64 ]; then exit 1; fi
`;

const POINTER = `echo '${POINTER_BEGINS}'
echo "oid sha256:$oid"
echo "size $size"
`;

/**
 * From content to pointer, storing nothing: used to compare. A file of more than 2 GiB counts as changed, so it cannot
 * fill the disk.
 */
export const CLEAN = `ulimit -f 4194304
file=$(mktemp) || exit 1
trap 'rm -f "$file"' EXIT
cat >"$file" || exit 1
${MEASURE}${POINTER}`;

// The place of an oid's content in a store.
const FOLDER = `rest=\${oid#??}
below=\${oid%"$rest"}
more=\${rest#??}
below=$below/\${rest%"$more"}
`;

/** From content to pointer; the content goes into the checkout's own store, as with git-lfs. */
export const CLEAN_PROGRAM = `store=$(git rev-parse --git-common-dir)/lfs || exit 1
mkdir -p "$store/tmp" || exit 1
file=$(mktemp "$store/tmp/XXXXXX") || exit 1
trap 'rm -f "$file"' EXIT
cat >"$file" || exit 1
${MEASURE}${FOLDER}mkdir -p "$store/objects/$below" || exit 1
mv -f "$file" "$store/objects/$below/$oid" || exit 1
${POINTER}`;

/**
 * From pointer to content, where the checkout's store or that of origin has it; otherwise the pointer stays.
 */
export const SMUDGE_PROGRAM = `file=$(mktemp) || exit 1
trap 'rm -f "$file"' EXIT
cat >"$file" || exit 1
if [ "$(($(wc -c <"$file")))" -lt 1024 ] && head -n 1 "$file" | grep -qxF '${POINTER_BEGINS}'; then
  oid=$(sed -n 's/^oid sha256:\\([0-9a-f]\\{64\\}\\)$/\\1/p' "$file")
  ${FOLDER.trimEnd().replaceAll('\n', '\n  ')}
  for store in "$(git rev-parse --git-common-dir)/lfs" "$origin/lfs"; do
    if [ -n "$oid" ] && [ -f "$store/objects/$below/$oid" ]; then
      cat "$store/objects/$below/$oid"
      exit
    fi
  done
fi
cat "$file"
`;
