/** What another user or a read-only mount hides: seen from a process that really has no access. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openSqlite, type TestDatabase } from '../../test/support/databases.ts';
import { needs } from '../../test/support/requirements.ts';
import { sampleConversation, sampleFolder, sampleSession } from '../../test/support/sample-session.ts';
import type { Diagnosis } from './diagnosis.ts';

const PROGRAM = fileURLToPath(new URL('../../test/support/diagnose-process.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;
/** `nobody` on Linux; any other than ours would do */
const NOBODY = 65_534;

interface Ask {
  database: TestDatabase;
  ids: string[];
  uid: number | null;
  /** shell text before the program, ending in `&&` */
  before?: string;
}

function ask({ database, ids, uid, before = '' }: Ask): Diagnosis[] {
  const program = [process.execPath, PROGRAM, database.url, uid === null ? '-' : String(uid), ...ids];
  const [command, ...args] =
    before === '' ? program : ['unshare', '-m', 'sh', '-c', `${before} exec "$@"`, 'sh', ...program];
  return JSON.parse(execFileSync(command!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
}

function chownAll(folder: string, uid: number): void {
  chownSync(folder, uid, uid);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    chownSync(join(folder, name), uid, uid);
  }
}

describe.skipIf(process.getuid === undefined)('denied to the user the service runs as', () => {
  test('own file without the right to read, own folder without the right to write', async () => {
    const database = await openSqlite();
    const state = sampleFolder();
    const blind = await sampleSession(database, { state, conversation: await sampleConversation(database) });
    const conversation = await sampleConversation(database, { number: 13 });
    const deaf = await sampleSession(database, { state, conversation, archive: false });
    if (isRoot) chownAll(state, NOBODY);
    chmodSync(blind.file, 0o000);
    chmodSync(deaf.file, 0o400);
    chmodSync(dirname(deaf.file), 0o500);

    const answers = ask({ database, ids: [blind.row.id, deaf.row.id], uid: isRoot ? NOBODY : null });
    chmodSync(dirname(deaf.file), 0o700);
    expect(answers).toMatchObject([
      { verdict: 'restorable', cause: 'unreadable' },
      { verdict: 'unknown', cause: 'not-writable', archive: 'missing' },
    ]);
    expect(answers[0]!.evidence.join('\n')).toContain('cannot be read (EACCES)');
    expect(answers[1]!.remedy).toContain(`Make ${deaf.file} writable`);
  });

  test.skipIf(!isRoot)(
    `owned by another user${isRoot ? '' : ': only root can make such files'}`,
    async () => {
      const database = await openSqlite();
      const state = sampleFolder();
      const session = await sampleSession(database, {
        state,
        conversation: await sampleConversation(database),
      });
      const [answer] = ask({ database, ids: [session.row.id], uid: NOBODY });
      expect(answer).toMatchObject({ verdict: 'restorable', cause: 'other-owner' });
      expect(answer!.evidence.join('\n')).toMatch(/owner: .* belongs to uid 0, this process is uid 65534/);
    },
  );
});

const mounts = needs('mount-namespace');
describe.skipIf(!mounts.ok)(mounts.title('a read-only mount'), () => {
  test('is named before the CLI answers and forgets', async () => {
    const database = await openSqlite();
    const state = sampleFolder();
    const session = await sampleSession(database, {
      state,
      conversation: await sampleConversation(database),
    });
    const mount = `mount --bind '${state}' '${state}' && mount -o remount,ro,bind '${state}' &&`;
    const [answer] = ask({ database, ids: [session.row.id], uid: null, before: mount });
    expect(answer).toMatchObject({ verdict: 'restorable', cause: 'read-only' });
    expect(answer!.evidence.join('\n')).toContain('EROFS');
  });
});
