/** A file of a run's checkout, read from outside: whatever the agent puts there, nothing beyond the checkout is opened. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

export type FileRead = { kind: 'read'; bytes: Buffer } | { kind: 'refused'; why: string };

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * `path` is relative to the checkout. Each folder is opened by the handle of the one before it and no link is followed, so
 * that nothing can be exchanged between a check and the opening.
 */
export async function readCheckoutFile(checkout: string, path: string, most: number): Promise<FileRead> {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  if (path.startsWith('/') || steps.length === 0 || steps.includes('..') || path.includes('\0')) {
    return refused('it must be a path below the checkout, as shots/page.png');
  }
  const handles: FileHandle[] = [];
  try {
    let folder = await open(checkout, O_RDONLY | O_DIRECTORY);
    handles.push(folder);
    for (const step of steps.slice(0, -1)) {
      // guard: checkout file: no link in its path
      folder = await open(`/proc/self/fd/${folder.fd}/${step}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      handles.push(folder);
    }
    // Without O_NONBLOCK a pipe would hold the call.
    // guard: checkout file: no link
    const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
    const file = await open(`/proc/self/fd/${folder.fd}/${steps.at(-1)}`, flags);
    handles.push(file);
    const { size } = await file.stat();
    if (!(await file.stat()).isFile()) return refused('it is no file');
    if (size > most) return refused(`it has more than ${most} bytes`);
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return { kind: 'read', bytes: bytes.subarray(0, bytesRead) };
  } catch (error) {
    return refused(WORDS[(error as NodeJS.ErrnoException).code ?? ''] ?? 'it cannot be read');
  } finally {
    for (const handle of handles.toReversed()) await handle.close();
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file in the checkout',
  ENOTDIR: 'there is no such file in the checkout, or a link is in its path',
  ELOOP: 'it is a link: name the file itself',
};

function refused(why: string): FileRead {
  return { kind: 'refused', why };
}
