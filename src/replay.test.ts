import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ASSIGNED, changed } from '../test/fixtures/bodies.ts';
import { ConfigFolder, SMALL_CONFIG } from '../test/support/config-folder.ts';
import { everybodyMayWrite } from '../test/support/trust.ts';
import { type Database, migrate, openDatabase } from './database/database.ts';
import { NotFound } from './errors.ts';
import { acceptDelivery, findDelivery } from './inbox.ts';
import { silentLog } from './log.ts';
import { type ReplayRequest, replay } from './replay.ts';
import { routeNext } from './router.ts';

const BODY = Buffer.from(JSON.stringify(changed(ASSIGNED, {}), null, 2));
const CONFIG = SMALL_CONFIG.replace('dev-bot', 'pear-bot').replace('team/shop', 'orchard/pears');

class Installation {
  readonly folder: ConfigFolder;
  readonly database: Database;

  private constructor(config: string) {
    this.folder = new ConfigFolder({ 'claude-hooks.yaml': config });
    this.database = openDatabase({ url: this.folder.load().database.url });
    onTestFinished(async () => {
      await this.database.close();
      this.folder[Symbol.dispose]();
    });
  }

  static async make({ config = CONFIG, migrated = true } = {}): Promise<Installation> {
    const installation = new Installation(config);
    if (migrated) await migrate(installation.database);
    return installation;
  }

  replay(request: ReplayRequest) {
    return replay(this.folder.file, this.folder.env, request);
  }

  file(content: string | Uint8Array = BODY): string {
    const path = join(this.folder.path, 'payload.json');
    writeFileSync(path, content);
    return path;
  }

  async accept(): Promise<string> {
    const { id } = await acceptDelivery(this.database.rows, {
      forge: 'home',
      forgeDeliveryId: 'from-the-forge-1',
      source: 'webhook',
      headers: {
        'x-forgejo-delivery': 'from-the-forge-1',
        'x-forgejo-event': 'issues',
        'x-forgejo-event-type': 'issue_assign',
        'x-forgejo-signature': 'as it was',
      },
      body: BODY,
      now: 1,
    });
    return id;
  }

  /** Decides what waits, as the running service would. */
  async route(): Promise<void> {
    const config = this.folder.load();
    const deps = {
      database: this.database,
      config: () => config,
      trust: everybodyMayWrite(),
      now: Date.now,
      log: silentLog,
    };
    while (await routeNext(deps));
  }
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a stored delivery', () => {
  test.each(['id', 'forge_delivery_id', 'the beginning of its id'])(
    'named by %s is stored again',
    async (by) => {
      const installation = await Installation.make();
      const id = await installation.accept();
      const first = (await findDelivery(installation.database.rows, id))!;
      const what = by === 'id' || by === 'forge_delivery_id' ? first[by] : id.slice(0, 8);
      const { delivery, replayOf } = await installation.replay({ what });
      expect(replayOf).toBe(id);
      const again = (await findDelivery(installation.database.rows, delivery))!;
      expect(again).toMatchObject({
        forge: 'home',
        source: 'replay',
        state: 'received',
        headers: first.headers,
      });
      expect(again.forge_delivery_id).toMatch(/^replay-[0-9a-f-]{36}$/);
      expect(digest(again.body)).toBe(digest(BODY));
      expect(await findDelivery(installation.database.rows, id)).toEqual(first);
    },
  );

  test('is routed again, as often as it is asked for', async () => {
    const installation = await Installation.make();
    const id = await installation.accept();
    await installation.route();
    const one = await installation.replay({ what: id });
    // A replay can be replayed.
    const two = await installation.replay({ what: one.delivery });
    await installation.route();
    for (const { delivery } of [one, two]) {
      expect((await findDelivery(installation.database.rows, delivery))!.state).toBe('routed');
    }
    const messages = await installation.database.rows
      .selectFrom('messages')
      .select('delivery_id')
      .orderBy('seq')
      .execute();
    expect(messages.map((m) => m.delivery_id)).toEqual([id, one.delivery, two.delivery]);
  });
});

describe('a payload from a file', () => {
  test('is routed like a delivery of its forge', async () => {
    const installation = await Installation.make();
    const { delivery, replayOf } = await installation.replay({
      what: installation.file(),
      event: 'issue_assign',
    });
    expect(replayOf).toBeNull();
    await installation.route();
    const row = (await findDelivery(installation.database.rows, delivery))!;
    expect(row).toMatchObject({
      forge: 'home',
      source: 'replay',
      state: 'routed',
      event_name: 'issue.assigned',
    });
    expect(digest(row.body)).toBe(digest(BODY));
  });

  test('that is broken is stored, and fails when it is routed', async () => {
    const installation = await Installation.make();
    const { delivery } = await installation.replay({ what: installation.file('{'), event: 'issue_assign' });
    await installation.route();
    expect(await findDelivery(installation.database.rows, delivery)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('JSON'),
    });
  });

  test('needs its forge where there are two', async () => {
    const second = CONFIG.slice(CONFIG.indexOf('  home:')).replace('home:', 'work:');
    const installation = await Installation.make({ config: CONFIG + second });
    const request = { what: installation.file(), event: 'issue_assign' };
    await expect(installation.replay(request)).rejects.toThrow('Give --forge home or --forge work.');
    await expect(installation.replay({ ...request, forge: 'elsewhere' })).rejects.toThrow(NotFound);
    const { delivery } = await installation.replay({ ...request, forge: 'work' });
    expect((await findDelivery(installation.database.rows, delivery))!.forge).toBe('work');
  });
});

describe('what cannot be replayed', () => {
  test.each<[string, (i: Installation) => ReplayRequest, string]>([
    [
      'neither a delivery nor a file',
      () => ({ what: 'nowhere' }),
      'nowhere is neither a stored delivery nor a file. `claude-hooks deliveries` lists what arrived, `claude-hooks explain owner/name#12` what arrived about an item.',
    ],
    [
      'a file without its event',
      (i) => ({ what: i.file() }),
      'Give --event with the value of X-Forgejo-Event-Type, for example issue_assign.',
    ],
    [
      'a folder',
      (i) => ({ what: i.folder.path, event: 'issue_assign' }),
      'is neither a stored delivery nor a file',
    ],
  ])('%s is not found, and nothing is stored', async (_, request, sentence) => {
    const installation = await Installation.make();
    const replaying = installation.replay(request(installation));
    await expect(replaying).rejects.toThrow(sentence);
    await expect(replaying).rejects.toThrow(NotFound);
    expect(await installation.database.rows.selectFrom('deliveries').select('id').execute()).toEqual([]);
  });

  test('anything, before the service has ever run', async () => {
    const installation = await Installation.make({ migrated: false });
    await expect(installation.replay({ what: 'some-delivery' })).rejects.toThrow(
      /not the tables of this release yet\. Start the service once, or run `claude-hooks migrate`\.$/,
    );
  });
});
