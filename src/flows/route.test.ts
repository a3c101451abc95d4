import { describe, expect, test } from 'vitest';
import {
  alice,
  assignedEvent,
  ciFailedEvent,
  commentEvent,
  devBot,
  pushEvent,
} from '../../test/support/sample-events.ts';
import { compileCondition } from '../config/conditions.ts';
import type { Flow } from '../config/config.ts';
import { KITS } from '../forges/registry.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { type RouteRequest, route } from './route.ts';

function flow(partial: Partial<Flow> & { if?: string } = {}): Flow {
  const compiled = compileCondition(partial.if ?? 'true');
  if (compiled.kind === 'wrong') throw new Error(compiled.problem);
  return {
    name: 'one',
    file: 'flows/test.yaml',
    on: ['comment.created'],
    clauses: compiled.clauses,
    agent: 'dev',
    skill: 'answer-comment',
    with: { tone: 'dry' },
    priority: 50,
    enabled: true,
    ...partial,
  };
}

const agents = new Map([
  ['dev', { name: 'dev', login: 'Dev-Bot' }],
  ['reviewer', { name: 'reviewer', login: 'review-bot' }],
  ['writer', null],
]);

function routed(event: ForgeEvent, flows: Flow[], more: Partial<RouteRequest> = {}) {
  const conversations = () => ({ exists: false, dispatches: 0, branch: null, itemNumber: null });
  const senderIs = KITS.forgejo.accountOf(event.sender);
  return route({ event, agents, ids: new Map(), senderIs, bots: [], conversations, flows, ...more });
}

const comment = commentEvent('Please look, @dev-bot');

describe('a match', () => {
  test('carries the flow, the agent, the skill and the values', () => {
    expect(routed(comment, [flow()])).toEqual({
      matches: [
        {
          flow: 'one',
          agent: 'dev',
          skill: 'answer-comment',
          with: { tone: 'dry' },
          priority: 50,
          decided: false,
        },
      ],
      considered: [{ flow: 'one', agent: 'dev', verdict: 'matched' }],
    });
  });

  test('is one for each agent: by priority, then by order', () => {
    const decision = routed(comment, [
      flow({ name: 'low', priority: 10 }),
      flow({ name: 'first', priority: 60 }),
      flow({ name: 'second', priority: 60 }),
      flow({ name: 'other', agent: 'reviewer', priority: 1 }),
    ]);
    expect(decision.matches.map((match) => match.flow)).toEqual(['first', 'other']);
    expect(decision.considered).toEqual([
      { flow: 'low', agent: 'dev', verdict: 'outranked', detail: 'flow first has priority 60, this flow 10' },
      { flow: 'first', agent: 'dev', verdict: 'matched' },
      {
        flow: 'second',
        agent: 'dev',
        verdict: 'outranked',
        detail: 'flow first comes first, at the same priority 60',
      },
      { flow: 'other', agent: 'reviewer', verdict: 'matched' },
    ]);
  });
});

describe('no match says why', () => {
  test.each([
    ['disabled', flow({ enabled: false }), comment],
    ['other-event', flow({ on: ['push'] }), comment],
    ['no-account', flow({ agent: 'writer' }), comment],
    ['no-account', flow({ agent: 'unheard-of' }), comment],
    ['own-event', flow(), commentEvent('Done', { sender: devBot })],
  ] as const)('%s', (verdict, given, event) => {
    const decision = routed(event, [given]);
    expect(decision).toEqual({ matches: [], considered: [{ flow: 'one', agent: given.agent, verdict }] });
  });

  test('the clause that failed, alone, with what it saw', () => {
    const given = flow({
      if: "conversation.exists == false && hasLogin(event.mentions, 'x' + agent.login) && sender.person",
    });
    expect(routed(comment, [given]).considered).toEqual([
      {
        flow: 'one',
        agent: 'dev',
        verdict: 'condition-failed',
        clause: 'hasLogin(event.mentions, "x" + agent.login)',
        values: { 'event.mentions': ['dev-bot'], 'agent.login': 'Dev-Bot' },
      },
    ]);
  });

  test('a condition that cannot be answered for this event', () => {
    const given = flow({ on: ['push'], if: 'event.item.number == 3' });
    expect(routed(pushEvent(), [given]).considered).toEqual([
      {
        flow: 'one',
        agent: 'dev',
        verdict: 'condition-error',
        clause: 'event.item.number == 3',
        values: { 'event.item.number': null },
        detail: 'No such key: number',
      },
    ]);
    const text = flow({ if: 'dyn(event.comment.body)' });
    expect(routed(comment, [text]).considered[0]).toMatchObject({
      verdict: 'condition-error',
      detail: 'gave a string, not true or false',
    });
  });

  test('long values are shortened', () => {
    const long = commentEvent('y'.repeat(5000), { mentions: Array.from({ length: 50 }, (_, i) => `m${i}`) });
    const given = flow({
      if: "(event.comment.body == '' || size(event.mentions) == 0 || event.repository == null)",
    });
    const values = routed(long, [given]).considered[0]!.values!;
    expect(values['event.comment.body']).toBe(`${'y'.repeat(200)}… (5000 characters)`);
    expect(values['event.mentions']).toHaveLength(21);
    expect(values['event.repository']).toContain('"fullName":"team/shop"');
    expect(JSON.stringify(values).length).toBeLessThan(1000);
  });
});

describe('what conditions see', () => {
  test.each([
    ['sender.person', alice, true],
    ['sender.person', devBot, false],
    ['sender.person', { id: -2, login: 'forgejo-actions' }, false],
    ["sender.agent == 'dev'", devBot, true],
    ["sender.agent == ''", alice, true],
    ['sameLogin(sender.login, "ALICE")', alice, true],
    ['sameLogin(event.requestedReviewer, "alice")', alice, false],
    ['event.item.number == 12 && event.item.number in [12, 13] && event.item.number < 20', alice, true],
    ['event.pull == null && !has(event.pull.headSha)', alice, true],
    ["'bug' in event.item.labels && event.item.labels.exists(l, l.startsWith('b'))", alice, true],
    ["hasLogin(agents, 'DEV-BOT') && size(agents) == 2", alice, true],
  ])('%s', (condition, sender, holds) => {
    const event = commentEvent('Hello', { sender });
    const given = flow({ if: condition, agent: 'reviewer' });
    expect(routed(event, [given]).considered[0]!.verdict).toBe(holds ? 'matched' : 'condition-failed');
  });

  test('the conversation is asked for once for each agent, and only when it is needed', () => {
    const asked: string[] = [];
    const conversations = (agent: string) => {
      asked.push(agent);
      return { exists: true, dispatches: 2, branch: 'dev/12', itemNumber: 12 };
    };
    const flows = [
      flow({ name: 'a', if: 'conversation.dispatches > 5' }),
      flow({ name: 'b', if: "conversation.branch == 'dev/12'" }),
      flow({ name: 'c', agent: 'reviewer', on: ['push'] }),
    ];
    expect(routed(comment, flows, { conversations }).matches.map((match) => match.flow)).toEqual(['b']);
    expect(asked).toEqual(['dev']);
  });

  test('a CI result is nobody’s own event', () => {
    expect(routed(ciFailedEvent(), [flow({ on: ['ci.failed'] })]).matches).toHaveLength(1);
    expect(
      routed({ ...assignedEvent('dev-bot'), sender: devBot }, [flow({ on: ['issue.assigned'] })]).matches,
    ).toEqual([]);
  });
});
