/** Git LFS, without git-lfs: pointers and contents by a real git, a forge that speaks the batch API, and the git door. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PocketForge, startPocketForge } from '../../rehearsal/pocket-forge.ts';
import { agentGit, agentSpec, openDoor, POLICY } from '../../test/support/git-agent.ts';
import { git, makeFolder } from '../../test/support/git-remotes.ts';
import { checkOf } from '../broker/git-policy.ts';
import { type Checkout, type CheckoutSpec, openWorkdir, type Workdir } from '../workdir.ts';

const TOKEN = 'dev-token-4711';
const LOGO = 'a picture of the year, in many bytes\n'.repeat(50);

let folder: ReturnType<typeof makeFolder>;
let forge: PocketForge;
/** in front of the forge, as a reverse proxy: git is told its address, and the forge writes its own */
let gate: Awaited<ReturnType<typeof openGate>>;
let workdir: Workdir;
let count = 0;
let name: string;

beforeAll(async () => {
  folder = makeFolder();
  const users = [
    { login: 'team', token: 'team-token' },
    { login: 'dev', token: TOKEN },
  ];
  forge = await startPocketForge({ folder: join(folder.path, 'forge'), users });
  gate = await openGate(forge.url);
});
afterAll(async () => {
  await gate.close();
  await forge.close();
  folder.remove();
});
beforeEach(async () => {
  count += 1;
  name = `app${count}`;
  workdir = openWorkdir({ folder: join(folder.path, `work${count}`) });
  await forge.createRepository({
    owner: 'team',
    name,
    collaborators: [{ login: 'dev', permission: 'write' }],
    files: {
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'README.md': 'hello\n',
      'logo.bin': pointerTo(LOGO),
    },
  });
  put(forgeStore(), LOGO);
  gate.down = false;
  gate.rewrite = (text) => text;
});

async function openGate(target: string) {
  const server = createServer((request, response) => {
    pass(request, response).catch((error) => response.destroy(error as Error));
  });
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    if (open.down) return void response.writeHead(503).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const {
      host: _,
      connection: __,
      'transfer-encoding': ___,
      'content-length': ____,
      ...headers
    } = request.headers;
    const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
    const method = request.method ?? 'GET';
    const answer = await fetch(`${target}${request.url}`, {
      method,
      headers: headers as Record<string, string>,
      ...body,
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isBatch = request.url?.endsWith('/objects/batch') === true;
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? '',
      'www-authenticate': answer.headers.get('www-authenticate') ?? '',
    });
    response.end(isBatch ? open.rewrite(bytes.toString('utf8')) : bytes);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const open = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    down: false,
    /** of the forge's answers about Git LFS */
    rewrite: (text: string) => text,
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
  return open;
}

function oidOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

function pointerTo(content: string): string {
  const size = Buffer.byteLength(content);
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oidOf(content)}\nsize ${size}\n`;
}

function below(store: string, content: string): string {
  const oid = oidOf(content);
  return join(store, oid.slice(0, 2), oid.slice(2, 4), oid);
}

function put(store: string, content: string, as = content): void {
  const path = below(store, content);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, as);
}

const forgeRepository = () => join(forge.folder, 'repositories', 'team', `${name}.git`);
const forgeStore = () => join(forgeRepository(), 'lfs/objects');
const hasContent = (content: string) => existsSync(below(forgeStore(), content));
const headOnForge = () => {
  try {
    return git(forgeRepository(), 'rev-parse', '--verify', '--quiet', 'refs/heads/claude/5');
  } catch {
    return null;
  }
};

function spec(change: Partial<CheckoutSpec> = {}): CheckoutSpec {
  const remote = { url: `${gate.url}/team/${name}.git`, token: TOKEN };
  return agentSpec('', { remote, repository: { id: `${count}`, fullName: `team/${name}` }, ...change });
}

/** Past every filter, as an agent's git without one does it. */
async function commitRaw(checkout: Checkout, path: string, content: string): Promise<string> {
  writeFileSync(join(checkout.path, path), content);
  const none = ['-c', 'filter.lfs.clean=cat', '-c', 'filter.lfs.smudge=cat'];
  await agentGit(checkout.path, ...none, 'add', '--', path);
  await agentGit(checkout.path, ...none, 'commit', '--quiet', '-m', `write ${path}`);
  return git(checkout.path, 'rev-parse', 'HEAD');
}

async function pushAfterRun(checkout: Checkout, policy = POLICY) {
  return await workdir.push(checkout, { remote: spec().remote, branch: 'claude/5', check: checkOf(policy) });
}

describe('a push', () => {
  test('sends the contents that its pointers name, then the commits, at the door and after the run', async () => {
    const checkout = await workdir.prepare(spec());
    const door = await openDoor({ workdir, checkout, remote: () => spec().remote });
    const sound = 'a sound\n'.repeat(1000);
    // The agent's git has the filter of the relay, so `git add` is all there is to do.
    writeFileSync(join(checkout.path, 'sound.bin'), sound);
    await agentGit(checkout.path, 'add', 'sound.bin');
    await agentGit(checkout.path, 'commit', '-m', 'a sound');
    expect(git(checkout.path, 'cat-file', 'blob', 'HEAD:sound.bin')).toBe(pointerTo(sound).trimEnd());
    const pushed = await agentGit(checkout.path, 'push', 'origin', 'claude/5');
    await door.close();
    expect(pushed).toMatchObject({ code: 0 });
    expect(headOnForge()).toBe(git(checkout.path, 'rev-parse', 'HEAD'));
    expect(readFileSync(below(forgeStore(), sound), 'utf8')).toBe(sound);

    // As git-lfs leaves it when it "uploads" to the relay.
    const film = 'a film\n'.repeat(300);
    const head = await commitRaw(checkout, 'film.bin', pointerTo(film));
    put(join(checkout.relay.root, 'push.git/lfs/objects'), film);
    expect(await pushAfterRun(checkout)).toEqual({ kind: 'pushed', sha: head });
    expect(hasContent(film)).toBe(true);
  });

  test('of a pointer to nothing is refused, and names the file', async () => {
    const checkout = await workdir.prepare(spec());
    const lost = 'nobody has this\n'.repeat(80);
    await commitRaw(checkout, 'lost.bin', pointerTo(lost));
    const door = await openDoor({ workdir, checkout, remote: () => spec().remote });
    const pushed = await agentGit(checkout.path, 'push', 'origin', 'claude/5');
    await door.close();
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toMatch(/neither the forge nor the checkout has: "lost.bin"/);
    expect(door.audited).toMatchObject([{ decision: 'denied' }]);
    expect(await pushAfterRun(checkout)).toMatchObject({ kind: 'rejected', why: { kind: 'rules' } });
    expect(headOnForge()).toBe(null);
  });

  test('of a pointer that an earlier commit of the push has is looked at as well', async () => {
    const checkout = await workdir.prepare(spec());
    await commitRaw(checkout, 'lost.bin', pointerTo('gone\n'.repeat(99)));
    await agentGit(checkout.path, 'rm', '--quiet', 'lost.bin');
    await agentGit(checkout.path, 'commit', '--quiet', '-m', 'without it');
    await commitRaw(checkout, 'more.txt', 'more\n');
    expect(await pushAfterRun(checkout)).toMatchObject({ reason: expect.stringContaining('"lost.bin"') });
  });

  test('of content in place of a pointer is refused, and what is said to do mends it', async () => {
    const checkout = await workdir.prepare(spec());
    const raw = 'raw content\n'.repeat(200);
    await commitRaw(checkout, 'raw.bin', raw);
    expect(await pushAfterRun(checkout)).toMatchObject({
      kind: 'rejected',
      reason: expect.stringMatching(/"raw.bin".*git add --renormalize/),
      why: { what: expect.not.stringContaining('amend') },
    });
    await agentGit(checkout.path, 'add', '--renormalize', '--', 'raw.bin');
    await agentGit(checkout.path, 'commit', '--quiet', '--amend', '-m', 'a pointer');
    expect(await pushAfterRun(checkout)).toMatchObject({ kind: 'pushed' });
    expect(hasContent(raw)).toBe(true);
  });

  test('needs no content that the forge has, and none for texts that only look like pointers', async () => {
    const checkout = await workdir.prepare(spec());
    await commitRaw(checkout, 'copy.bin', pointerTo(LOGO));
    await commitRaw(checkout, 'documentation.txt', pointerTo('an example\n'));
    expect(await pushAfterRun(checkout)).toMatchObject({ kind: 'pushed' });
  });

  test.each([
    ['is something else', (store: string, lost: string) => put(store, lost, lost.replace('n', 'm'))],
    ['is longer', (store: string, lost: string) => put(store, lost, `${lost}more`)],
    ['is behind a link', linked],
    ['is in a folder behind a link', linkedFolder],
  ])('takes no content that %s', async (_, place) => {
    const checkout = await workdir.prepare(spec());
    const lost = 'what another repository keeps\n'.repeat(60);
    await commitRaw(checkout, 'lost.bin', pointerTo(lost));
    place(join(checkout.path, '.git/lfs/objects'), lost);
    expect(await pushAfterRun(checkout)).toMatchObject({ kind: 'rejected' });
    expect(hasContent(lost)).toBe(false);
  });

  function linked(store: string, content: string): void {
    const elsewhere = join(folder.path, `elsewhere${count}`);
    writeFileSync(elsewhere, content);
    const path = below(store, content);
    mkdirSync(join(path, '..'), { recursive: true });
    symlinkSync(elsewhere, path);
  }

  function linkedFolder(store: string, content: string): void {
    const elsewhere = join(folder.path, `store${count}`);
    put(elsewhere, content);
    mkdirSync(join(store, '..'), { recursive: true });
    symlinkSync(elsewhere, store);
  }

  test('of more than the operator allows is refused', async () => {
    const checkout = await workdir.prepare(spec());
    const large = 'x'.repeat(5000);
    await commitRaw(checkout, 'large.bin', pointerTo(large));
    put(join(checkout.path, '.git/lfs/objects'), large);
    const refused = await pushAfterRun(checkout, { ...POLICY, maxLfsBytes: 4999 });
    expect(refused).toMatchObject({ reason: expect.stringMatching(/5000 bytes.*git\.max_lfs_bytes/) });
    expect(hasContent(large)).toBe(false);
  });

  test('while the forge is down keeps the contents, and sends them when it is back', async () => {
    const checkout = await workdir.prepare(spec());
    const late = 'later\n'.repeat(400);
    const head = await commitRaw(checkout, 'late.bin', pointerTo(late));
    put(join(checkout.path, '.git/lfs/objects'), late);
    const door = await openDoor({ workdir, checkout, remote: () => spec().remote });
    gate.down = true;
    const pushed = await agentGit(checkout.path, 'push', 'origin', 'claude/5');
    await door.close();
    expect(pushed.stderr).toContain('are forwarded to claude/5 after the run');
    gate.down = false;
    // What the agent makes of its own store meanwhile is nothing to us.
    put(join(checkout.path, '.git/lfs/objects'), late, 'spoilt');
    expect(await pushAfterRun(checkout)).toEqual({ kind: 'pushed', sha: head });
    expect(hasContent(late)).toBe(true);
  });

  test('goes to no other host, whatever the forge names', async () => {
    let asked = 0;
    const stranger = createServer((_, response) => {
      asked += 1;
      response.end();
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const elsewhere = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/bucket`;
    gate.rewrite = (text) => text.replace(/"href":"[^"]*\/objects\//g, `"href":"${elsewhere}/`);
    const checkout = await workdir.prepare(spec());
    const content = 'stays at home\n'.repeat(90);
    await commitRaw(checkout, 'home.bin', pointerTo(content));
    put(join(checkout.path, '.git/lfs/objects'), content);
    expect(await pushAfterRun(checkout)).toMatchObject({
      reason: expect.stringMatching(/"home.bin".*exchanged only with the forge itself/),
    });
    gate.rewrite = () => '{"message":"moved"}';
    expect(await pushAfterRun(checkout)).toMatchObject({ reason: expect.stringContaining('cannot be read') });
    expect(asked).toBe(0);
    await new Promise((resolve) => stranger.close(resolve));
  });
});

describe('a checkout', () => {
  test('has pointers, and says so', async () => {
    const checkout = await workdir.prepare(spec());
    expect(readFileSync(join(checkout.path, 'logo.bin'), 'utf8')).toBe(pointerTo(LOGO));
    expect(checkout.notes).toEqual([
      expect.stringMatching(
        /^1 file is kept in Git LFS and stands .*"logo.bin".*Do not edit a pointer as text/,
      ),
    ]);
    expect((await agentGit(checkout.path, 'status', '--porcelain')).stdout).toBe('');
    // Without it git-lfs, where an image has it, leaves a file deleted whose content is not here (seen with 3.3.0).
    expect(git(checkout.path, 'config', '--get', 'lfs.skipdownloaderrors')).toBe('true');
  });

  test('has the contents where that is configured, and they are no changes', async () => {
    const lfs = { fetch: true, maxBytes: 1_000_000 };
    const checkout = await workdir.prepare(spec({ lfs }));
    const file = join(checkout.path, 'logo.bin');
    expect(readFileSync(file, 'utf8')).toBe(LOGO);
    expect(checkout.notes).toEqual([]);
    expect((await agentGit(checkout.path, 'status', '--porcelain')).stdout).toBe('');
    expect(await workdir.inspect(checkout)).toMatchObject({ dirtyFiles: [] });

    // Touched, so that git compares contents; and moved on by somebody else's commit.
    writeFileSync(file, LOGO);
    chmodSync(file, 0o755);
    chmodSync(file, 0o644);
    expect(await workdir.inspect(checkout)).toMatchObject({ dirtyFiles: [] });
    const next = 'the picture of next year\n'.repeat(70);
    put(forgeStore(), next);
    const clone = join(folder.path, `clone${count}`);
    git('/', 'clone', '--quiet', forgeRepository(), clone);
    writeFileSync(join(clone, 'logo.bin'), pointerTo(next));
    git(clone, '-c', 'filter.lfs.clean=cat', 'commit', '--quiet', '-am', 'next year');
    git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/claude/5');
    const later = await workdir.prepare(spec({ lfs }));
    expect(readFileSync(file, 'utf8')).toBe(next);
    expect(later.notes).toEqual([expect.stringContaining('fast-forwarded')]);

    // The agent changes it, and it is an ordinary change.
    writeFileSync(file, 'own\n');
    expect(await workdir.inspect(later)).toMatchObject({ dirtyFiles: ['logo.bin'] });
    const kept = await workdir.prepare(spec({ lfs }));
    expect(readFileSync(file, 'utf8')).toBe('own\n');
    expect(kept.notes).toEqual([expect.stringContaining('Uncommitted changes')]);
  });

  test('keeps pointers, and says why, where the contents are too large or not there', async () => {
    const small = await workdir.prepare(spec({ lfs: { fetch: true, maxBytes: 100 } }));
    expect(small.notes).toEqual([expect.stringMatching(/more than the 100 .*git\.max_lfs_bytes/)]);
    writeFileSync(below(forgeStore(), LOGO), 'x'.repeat(statSync(below(forgeStore(), LOGO)).size));
    const other = await workdir.prepare(spec({ lfs: { fetch: true, maxBytes: 1_000_000 } }));
    expect(other.notes).toEqual([expect.stringContaining('does not have their contents')]);
    expect(readFileSync(join(other.path, 'logo.bin'), 'utf8')).toBe(pointerTo(LOGO));
  });

  test('is written through no link', async () => {
    const lfs = { fetch: true, maxBytes: 1_000_000 };
    const checkout = await workdir.prepare(spec());
    const outside = join(folder.path, `outside${count}`);
    writeFileSync(outside, pointerTo(LOGO));
    await agentGit(checkout.path, 'update-index', '--assume-unchanged', 'logo.bin');
    unlinkSync(join(checkout.path, 'logo.bin'));
    symlinkSync(outside, join(checkout.path, 'logo.bin'));
    await workdir.prepare(spec({ lfs }));
    expect(readFileSync(outside, 'utf8')).toBe(pointerTo(LOGO));
  });
});
