import { describe, expect, test } from 'vitest';
import { testEngines } from '../../../test/support/engines.ts';
import { needs, titleOf } from '../../../test/support/requirements.ts';
import { cliFor } from '../../container/cli-build.ts';
import { whyNoSocket } from './socket.ts';

const cli = needs('cli');

for (const engine of testEngines().filter(({ name }) => name === 'podman')) {
  const reason = [engine.need.reason, cli.reason].filter((r) => r !== '').join('; ');
  describe.skipIf(reason !== '')(titleOf(`a socket, from inside ${engine.name}`, reason), () => {
    test('is heard, and silence is told', async () => {
      const path = '/usr/local/bin:/usr/bin:/bin';
      const { image, oci } = engine;
      const binary = await cliFor({ oci, image, executable: null, muslCliPath: null });
      const probe = { engine: engine.engine, cli: binary, spec: { image, user: null }, path };
      expect(await whyNoSocket(probe)).toBeNull();
      // A runtime that keeps sockets out, played by an engine that leaves the mount away.
      const deaf = {
        ...engine.engine,
        start: (spec: Parameters<typeof engine.engine.start>[0]) =>
          engine.engine.start({
            ...spec,
            mounts: spec.mounts.filter(({ target }) => !target.endsWith('.sock')),
          }),
      };
      expect(await whyNoSocket({ ...probe, engine: deaf })).toMatch(/^exit code 1/);
    });
  });
}
