/** Paths in a repository, or below HOME with `~/` before them, as `lock_files` and `keep` may name them. Pure. */

/** Longer ones are a mistake, and would not fit a mount. */
const LONGEST = 500;

/** A plain relative path: no `..`, no `.git`, nothing that a shell or git would read as something else. */
export function isKeptPath(text: string): boolean {
  const path = text.startsWith('~/') ? text.slice(2) : text;
  // guard: layers: a kept path stays inside
  if (path === '' || path.length > LONGEST || /[\u0000-\u001f\u007f\\]/.test(path) || /^[~/-]/.test(path))
    return false;
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/^\.git$/i.test(part));
}
