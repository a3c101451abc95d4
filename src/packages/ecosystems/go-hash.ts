/**
 * The hashes of go.sum, as golang.org/x/mod/sumdb/dirhash makes them: SHA-256 over a list of the files, each a line
 * `<hex SHA-256>  <name>`, sorted by name. Of a go.mod the list has the one name `go.mod`.
 */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';

/** Go's own limits of a module: unpacked, and of its go.mod. What is larger gets no hash, so it does not pass. */
const MAX_UNPACKED = 500 * 1024 * 1024;
const MAX_GO_MOD = 16 * 1024 * 1024;

/** Of a zip, or of a go.mod, whichever the file is; [] = neither. */
export async function goHashesOf(path: string): Promise<readonly string[]> {
  return (await isZip(path)) ? hashOfZip(path).catch(() => []) : hashOfGoMod(path);
}

async function isZip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1') === 'PK\x03\x04';
  } finally {
    await file.close();
  }
}

async function hashOfGoMod(path: string): Promise<readonly string[]> {
  const file = await open(path);
  const { size } = await file.stat().finally(() => file.close());
  if (size > MAX_GO_MOD) return [];
  const content = createHash('sha256').update(await readFile(path));
  return [hashOfList([{ name: Buffer.from('go.mod'), hex: content.digest('hex') }])];
}

interface Hashed {
  name: Buffer;
  hex: string;
}

async function hashOfZip(path: string): Promise<readonly string[]> {
  // Names are compared and hashed as bytes, as Go does it.
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false, decodeStrings: false });
  try {
    const hashed: Hashed[] = [];
    const names = new Set<string>();
    let left = MAX_UNPACKED;
    for (let entry = await next(zip); entry !== null; entry = await next(zip)) {
      const name = entry.fileName as unknown as Buffer;
      left -= entry.uncompressedSize;
      // Of two files with one name Go reads the last; nobody honest writes such a zip.
      // guard: packages: a zip is read in one way
      if (left < 0 || name.includes(0x0a) || names.has(name.toString('latin1'))) return [];
      names.add(name.toString('latin1'));
      hashed.push({ name, hex: await hashOfEntry(zip, entry) });
    }
    return [hashOfList(hashed)];
  } finally {
    zip.close();
  }
}

function next(zip: ZipFile): Promise<Entry | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Entry | null>();
  const ends = { entry: resolve, end: () => resolve(null), error: reject };
  for (const [event, listener] of Object.entries(ends)) zip.on(event, listener);
  zip.readEntry();
  return promise.finally(() => {
    for (const [event, listener] of Object.entries(ends)) zip.off(event, listener);
  });
}

async function hashOfEntry(zip: ZipFile, entry: Entry): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<NodeJS.ReadableStream>();
  zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  const hash = createHash('sha256');
  await pipeline(await promise, hash);
  return hash.digest('hex');
}

function hashOfList(files: Hashed[]): string {
  const hash = createHash('sha256');
  for (const { name, hex } of files.toSorted((a, b) => Buffer.compare(a.name, b.name))) {
    // guard: packages: hash of a Go module
    hash.update(`${hex}  `).update(name).update('\n');
  }
  return `go-h1:${hash.digest('base64')}`;
}
