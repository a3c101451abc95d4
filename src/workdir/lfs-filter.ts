/**
 * The filter "lfs" where git-lfs is not installed. Without one, git takes the content of a file for what is to be committed.
 * In a checkout it is two shell programs of the relay, which git-lfs goes before where the machine's configuration has it
 * (git asks `filter.lfs.process` first); for the worker's git it is `CLEAN` alone, a command of ours in its environment:
 * which paths it is for, a repository may say, and what runs, it may not.
 */
import { POINTER_BEGINS } from './lfs-pointer.ts';

// Without a percent sign: git replaces those in the command of a filter.
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

/** Content to pointer, and nothing is kept: for comparing. A file of more than 2 GiB counts as changed, and fills no disk. */
export const CLEAN = `ulimit -f 4194304
file=$(mktemp) || exit 1
trap 'rm -f "$file"' EXIT
cat >"$file" || exit 1
${MEASURE}${POINTER}`;

// Where the contents of an oid stand below a store.
const FOLDER = `rest=\${oid#??}
below=\${oid%"$rest"}
more=\${rest#??}
below=$below/\${rest%"$more"}
`;

/** Content to pointer; the content goes into the checkout's own store, as git-lfs does it. */
export const CLEAN_PROGRAM = `store=$(git rev-parse --git-common-dir)/lfs || exit 1
mkdir -p "$store/tmp" || exit 1
file=$(mktemp "$store/tmp/XXXXXX") || exit 1
trap 'rm -f "$file"' EXIT
cat >"$file" || exit 1
${MEASURE}${FOLDER}mkdir -p "$store/objects/$below" || exit 1
mv -f "$file" "$store/objects/$below/$oid" || exit 1
${POINTER}`;

/** Pointer to content, where the checkout's store or the one of origin has it; else the pointer stays. */
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
