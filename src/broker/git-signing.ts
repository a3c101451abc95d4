/** Signatures for an agent's commits, made outside the container with a key it never sees. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lastWords, runProgram } from '../program.ts';

export interface Signing {
  keyFile: string;
  identity: { name: string; email: string };
  /** folder of the worker's own for the moment */
  folder: string;
}

const LONGEST_MS = 20_000;
const LONGEST_BYTES = 1_000_000;
const HEADERS = /^tree [0-9a-f]{40,64}\n(parent [0-9a-f]{40,64}\n)*author [^\n]*\ncommitter ([^\n]*)\n/;

/** What git hands over to be signed must be a commit of this agent: not a tag, not a commit in another's name. */
export function refuseSigning(identity: Signing['identity'], content: Buffer): string | null {
  const [, , committer] = HEADERS.exec(content.toString('latin1')) ?? [];
  if (committer === undefined) return 'Only commits are signed. Leave out --signed and tags.';
  const expected = Buffer.from(`${identity.name} <${identity.email}> `).toString('latin1');
  if (committer.startsWith(expected) && /^\d+ [+-]\d{4}$/.test(committer.slice(expected.length))) return null;
  return `Only commits by ${identity.name} <${identity.email}> are signed. Unset GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL, and commit again.`;
}

/** The signature as `git` wants it. Throws where the key cannot be used. */
export async function signCommit(s: Signing, content: Buffer): Promise<Buffer> {
  const folder = await mkdtemp(join(s.folder, 'sign-'));
  try {
    const file = join(folder, 'commit');
    await writeFile(file, content);
    await run(['-Y', 'sign', '-n', 'git', '-f', s.keyFile, file]);
    return await readFile(`${file}.sig`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function publicKey(keyFile: string): Promise<string> {
  return (await run(['-y', '-f', keyFile])).trim();
}

async function run(args: string[]): Promise<string> {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', SSH_ASKPASS_REQUIRE: 'never' };
  const call = { program: 'ssh-keygen', args, env, timeoutMs: LONGEST_MS, maxBytes: LONGEST_BYTES };
  const { exitCode, stdout, stderr, cutShort } = await runProgram(call);
  if (exitCode === 0 && cutShort === null) return stdout.toString('utf8');
  const said = [lastWords(stderr), cutShort?.why].filter(Boolean).join('; ');
  const failed = `ssh-keygen ${args[0]} failed (exit ${exitCode ?? 'none'})`;
  throw new Error(
    `${failed}: ${said || 'it said nothing'}. Check git.signing_key_file: a key without a passphrase that the service may read.`,
  );
}
