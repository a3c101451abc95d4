/** The address of metrics and health: one that cannot be had ends the service, and it tells that the service is stopping. */
import { expect, test } from 'vitest';
import { needs } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { usualConfig } from './support/service-config.ts';

const here = needs('git', 'proc');

async function on(metrics: (at: { forge: string }) => object, story: (stage: Stage) => Promise<void>) {
  const stage = await Stage.open({
    model: '',
    configText: (at) => usualConfig({ model: '', config: { metrics: metrics(at), log: {} } }, at),
  });
  try {
    await story(stage);
  } finally {
    await stage.close();
  }
}

test.skipIf(!here.ok)(
  here.title('a port that is taken ends the service with a sentence; its log is JSON where nobody looks'),
  async () => {
    const taken = ({ forge }: { forge: string }) => ({ port: Number(new URL(forge).port) });
    await on(taken, async (stage) => {
      const { code, output } = await stage.spawnAgain();
      expect(code).toBe(1);
      const { port } = new URL(stage.forge.url);
      const lines = output.trimEnd().split('\n');
      expect(lines.at(-1)).toMatch(
        new RegExp(
          `^Cannot listen on 127\\.0\\.0\\.1:${port}: .+Choose another metrics\\.port, or end what uses it\\.$`,
        ),
      );
      const log = lines.slice(0, -1).map((line) => JSON.parse(line) as { level: string; time: string });
      expect(log.length).toBeGreaterThan(0);
      for (const { level, time } of log) {
        expect(['info', 'warn']).toContain(level);
        expect(time).toMatch(/Z$/);
      }
    });
  },
);

test.skipIf(!here.ok)(
  here.title('a host that is not of this machine ends it as well, and nothing of it listens any more'),
  async () => {
    await on(
      () => ({ host: '192.0.2.1', port: 9464 }),
      async (stage) => {
        await expect(stage.start()).rejects.toThrow(
          /^Cannot listen on 192\.0\.2\.1:9464: .+ Set metrics\.host to an address of this machine\.$/,
        );
      },
    );
  },
);
