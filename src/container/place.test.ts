import { describe, expect, test } from 'vitest';
import type { Mount } from './container.ts';
import { type PlaceRequest, placeOf } from './place.ts';

function requestOf(conversation: string, changes: Partial<PlaceRequest> = {}): PlaceRequest {
  const at = `/srv/state/conversations/${conversation}`;
  return {
    checkout: `/srv/state/work/checkouts/${conversation}/greeter`,
    checkoutName: 'greeter',
    folders: { config: `${at}/cli`, home: `${at}/home`, temporary: `${at}/tmp` },
    socket: `/srv/state/run/${conversation}/m.sock`,
    cli: '/opt/claude',
    forwarder: null,
    relay: { root: `/srv/state/relays/${conversation}`, origin: '/srv/state/mirrors/1.git' },
    settings: {
      image: null,
      memoryBytes: null,
      cpus: null,
      pids: 100,
      user: null,
      network: 'none',
      mounts: [],
    },
    caches: [],
    path: '/usr/bin',
    ...changes,
  };
}

const inside = (request: PlaceRequest) => placeOf({ name: 'bubblewrap', isolates: true }, request);
const bare = (request: PlaceRequest) => placeOf({ name: 'process', isolates: false }, request);
const at = (mounts: readonly Mount[], folder: string) =>
  mounts.filter(({ target }) => target === folder || target.startsWith(`${folder}/`));

describe('a place inside', () => {
  test('has the same paths in every conversation of an agent and repository', () => {
    const seen = (conversation: string) => {
      const { spec, ...paths } = inside(requestOf(conversation));
      return { paths, targets: spec.mounts.map(({ target, access }) => [target, access]) };
    };
    expect(seen('two')).toEqual(seen('one'));
    expect(seen('one').paths).toMatchObject({
      config: '/state/cli',
      home: '/state/home',
      cwd: '/work/greeter',
    });
    expect(JSON.stringify(seen('one'))).not.toContain('/srv/');
  });

  test('has the CLI folder also where a history names it, with the same parts closed', () => {
    const request = requestOf('one', { namesFolder: true, closed: ['skills'] });
    const { mounts } = inside(request).spec;
    const { config } = request.folders;
    for (const folder of ['/state/cli', config]) {
      expect(at(mounts, folder)).toEqual([
        { source: config, target: folder, access: 'write', owned: true },
        { source: `${config}/skills`, target: `${folder}/skills`, access: 'read' },
      ]);
    }
    expect(at(inside({ ...request, namesFolder: false }).spec.mounts, config)).toEqual([]);
  });
});

test('a bare process has everything at its own path, so that two conversations differ', () => {
  expect(bare(requestOf('one'))).toMatchObject({
    ...requestOf('one').folders,
    cwd: requestOf('one').checkout,
  });
});

describe('doors of a container', () => {
  const doors: NonNullable<PlaceRequest['doors']> = {
    script: '/srv/state/doors/doors.js',
    open: [
      {
        name: 'packages',
        socket: '/srv/state/doors/m-1/m.sock',
        environment: { npm_config_registry: 'http://127.0.0.1:8901/npm/' },
        mounts: [{ source: '/srv/state/x', target: '/run/claude-hooks/x', access: 'read' }],
      },
    ],
  };

  test('are sockets with fixed names and ports, and what their tools read', () => {
    const { doors: inner, spec } = inside(requestOf('one', { doors }));
    expect(inner).toEqual({
      script: '/run/claude-hooks/doors.js',
      doors: [{ name: 'packages', port: 8901, socket: '/run/claude-hooks/packages.sock' }],
      environment: { npm_config_registry: 'http://127.0.0.1:8901/npm/' },
    });
    const targets = spec.mounts.map(({ target }) => target);
    expect(targets).toEqual(
      expect.arrayContaining([inner!.script, inner!.doors[0]!.socket, '/run/claude-hooks/x']),
    );
  });

  test('are left out where the container has no network namespace of its own', () => {
    const request = requestOf('one', { doors });
    const onHost = inside({ ...request, settings: { ...request.settings, network: 'host' } });
    for (const place of [onHost, bare(request), inside(requestOf('one'))]) {
      expect(place.doors).toBe(null);
      expect(JSON.stringify(place.spec.mounts)).not.toContain('doors');
    }
  });
});
