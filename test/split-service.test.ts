/** `serve --only`: the three parts of a service as processes that share nothing but the rows. */
import { afterEach, expect, test } from 'vitest';
import { AlreadyRunning } from '../src/errors.ts';
import { isStateLocked } from '../src/state-lock.ts';
import type { ServicePart } from '../src/wiring/service-parts.ts';
import { type Service, startService } from '../src/wiring.ts';
import { describeDatabases } from './support/databases.ts';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY, usualConfig } from './support/service-config.ts';

const here = needs('cli', 'git', 'flock', 'proc');

const MODEL = `scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps: [{ text: It was the greeting. }]`;

const services: Service[] = [];
let stage: Stage | null = null;

afterEach(async () => {
  for (const service of services.splice(0).toReversed()) await service.stop();
  await stage?.close();
  stage = null;
});

async function startOnly(only: ServicePart): Promise<Service> {
  const { configFile: file, env, logged } = stage!;
  const service = await startService({ file, env, only: [only], write: (line) => void logged.push(line) });
  services.push(service);
  return service;
}

describeDatabases('a service in parts', (open, dialect) => {
  test.skipIf(dialect === 'sqlite' || !here.ok)(
    here.title('takes a delivery in one, routes it in the next, and answers it in the third'),
    async () => {
      const { url } = await open();
      stage = await Stage.open({
        model: MODEL,
        configText: (at) => {
          const usual = usualConfig({ model: MODEL, config: { database: { url } } }, at);
          return { ...usual, database: url };
        },
      });
      const web = await stage.start(['web']);
      await stage.forge.as(OWNER).createIssue(REPOSITORY, { title: 'Greeting', body: '', assignees: [DEV] });
      await stage.forge.settled();
      const deliveries = () => stage!.rows.selectFrom('deliveries').select('state').distinct().execute();
      expect(await deliveries()).toEqual([{ state: 'received' }]);
      expect(isStateLocked(stage.state)).toBe(false);

      const router = await startOnly('router');
      expect(router.url).toBeNull();
      await stage.untilDispatch(1, 'queued');
      await stage.until(
        'all are decided',
        async () => !(await deliveries()).some((d) => d.state === 'received'),
      );
      // What takes deliveries may go while others work.
      await web.stop();
      expect(stage.turns).toEqual([]);
      expect(isStateLocked(stage.state)).toBe(false);

      await startOnly('worker');
      expect(isStateLocked(stage.state)).toBe(true);
      await expect(startOnly('worker')).rejects.toThrow(AlreadyRunning);
      await stage.untilDispatch(1, 'succeeded');
      expect(stage.forge.state.comments.map(({ body }) => body.split('\n')[0])).toEqual([
        'It was the greeting.',
      ]);

      for (const part of ['router', 'worker']) {
        expect(stage.logged.some((line) => line.includes(`claude-hooks runs ${part}`))).toBe(true);
      }
    },
  );

  test.skipIf(dialect === 'postgres')('is refused where the database is a file of one process', async () => {
    const { url } = await open();
    const config = { database: { url } };
    stage = await Stage.open({ model: MODEL, config });
    await expect(startOnly('web')).rejects.toThrow(
      /database\.url: names a SQLite file, and web alone would share it with other processes\. Name a PostgreSQL database, or start all parts in one process, without --only/,
    );
  });
});
