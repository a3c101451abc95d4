import { expect, test } from 'vitest';
import type { EgressAsked } from '../../egress.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Prepared } from '../screen/context.ts';
import { openNameDoor, proxyVariables } from './name-door.ts';

const NAMES = { allow: [], maxSent: 1, maxReceived: 1, maxConnections: 1 };

/** The door with what it was asked for, for an agent with these settings. */
async function opened(agent: { names: typeof NAMES | null; networkInRestrictedRuns: boolean }) {
  const asked: EgressAsked[] = [];
  let cuts = 0;
  let restriction: string | null = null;
  const egress: DispatchDeps['egress'] = {
    open: async (one) => {
      asked.push(one);
      return {
        socketPath: '/run/n.sock',
        shut: () => {
          cuts += 1;
        },
        close: async () => {},
      };
    },
  };
  const dispatch = {
    agent: {
      name: 'dev',
      container: { names: agent.names },
      networkInRestrictedRuns: agent.networkInRestrictedRuns,
    },
    key: { dispatchId: 'd', conversationId: 'c' },
  } as unknown as Prepared;
  const door = await openNameDoor(dispatch, { egress } as DispatchDeps, () => restriction);
  restriction = 'It has read words of mallory.';
  door?.restricted?.();
  return { door, shut: asked[0]?.restriction() ?? null, cuts: () => cuts };
}

test('an agent without a list has no such door', async () => {
  expect((await opened({ names: null, networkInRestrictedRuns: true })).door).toBeNull();
});

test('a mark shuts the door and cuts what stands, unless the agent’s file says otherwise', async () => {
  const usual = await opened({ names: NAMES, networkInRestrictedRuns: false });
  expect([usual.shut, usual.cuts()]).toEqual(['It has read words of mallory.', 1]);
  const open = await opened({ names: NAMES, networkInRestrictedRuns: true });
  expect([open.shut, open.cuts()]).toEqual([null, 0]);
});

test('tools find the proxy by either case of the variables, and the container itself without it', () => {
  const variables = proxyVariables('http://127.0.0.1:8902');
  for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY']) {
    expect(variables[name]).toBe('http://127.0.0.1:8902');
  }
  expect(variables.no_proxy).toBe(variables.NO_PROXY);
  expect(variables.no_proxy).toContain('127.0.0.1');
});
