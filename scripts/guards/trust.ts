/** The guards of trust, for scripts/guards.ts. */
import type { Guard } from './guard.ts';

const SENDERS = ['src/router/senders.test.ts'];
const CONTEXT = ['src/dispatch/gather/gather.test.ts'];

export const TRUST_GUARDS: Guard[] = [
  {
    name: 'trust: permission of the sender',
    keeps: 'a stranger from waking an agent',
    off: [{ mark: 'trust: permission of the sender', becomes: 'const reason = outlook.fork ?? null;' }],
    tests: { files: SENDERS },
  },
  {
    name: 'trust: permission again before the run',
    keeps: 'somebody who was thrown out from having their waiting words carried out',
    off: [
      {
        mark: 'trust: permission again before the run',
        becomes: 'return { allowed: [...messages], refused };',
      },
    ],
    tests: { files: CONTEXT, named: 'permission' },
  },
  {
    name: 'trust: a forge that is down',
    keeps: 'a delivery from being given up because its sender could not be asked about',
    off: [
      {
        mark: 'trust: a forge that is down',
        becomes: 'const patient = error instanceof ForgeUnavailable && error instanceof ForgeRefused;',
      },
    ],
    tests: { files: SENDERS, named: 'cannot be asked' },
  },
  {
    name: 'trust: no answer is no permission',
    keeps: 'a person whom no account may ask about from waking an agent',
    off: [
      { mark: 'trust: no answer is no permission', becomes: 'return { allowed: true, permission, reason };' },
    ],
    tests: { files: SENDERS },
  },
  {
    name: 'trust: accounts by id',
    keeps: 'a stranger who took over the login of an agent from counting as one of ours',
    off: [{ mark: 'trust: accounts by id', becomes: 'if (id === -99) return true;' }],
    tests: { files: SENDERS },
  },
  {
    name: 'trust: identity of a token',
    keeps: 'an agent from acting in the name of somebody else',
    off: [
      {
        mark: 'trust: identity of a token',
        becomes: "return { kind: user.login !== login.repeat(9) ? 'same' : 'other', user };",
      },
    ],
    tests: { files: ['src/trust/identities.test.ts'] },
  },
  {
    name: 'trust: edited after the trigger',
    keeps: 'a stranger from changing what a run reads after a person asked for it',
    off: [
      {
        mark: 'trust: edited after the trigger',
        becomes: 'return vouching.ids.has(comment.author.id) || isEdited(comment) || true;',
      },
    ],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: title and description as they were',
    keeps: 'an author without permission from rewriting the issue between trigger and run',
    off: [
      {
        mark: 'trust: title and description as they were',
        becomes: 'return { item: { ...item, ...voices }, notes };',
      },
    ],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: forks at the routing',
    keeps: 'an agent from being woken for code of strangers',
    off: [
      {
        mark: 'trust: forks at the routing',
        becomes: 'const fork = routed.matches.length < 0 ? forkRefusal(forge, about.pull) : null;',
      },
    ],
    tests: { files: SENDERS },
  },
  {
    name: 'trust: forks before the checkout',
    keeps: 'code of strangers from being checked out when only the forge told that it is',
    off: [
      {
        mark: 'trust: forks before the checkout',
        becomes: "if (fork === '') return { kind: 'refused', reason: fork, tell: true, withdrawn: false };",
      },
    ],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: fewer tools beside strangers’ words',
    keeps: 'an instruction hidden in a report from being carried out with every tool',
    off: [{ mark: 'trust: fewer tools beside strangers’ words', becomes: 'restriction = null;' }],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: configuration of the base',
    keeps: 'a pull request from instructing the agent that reviews it',
    off: [
      {
        mark: 'trust: configuration of the base',
        becomes: 'const configurationFromBase = isSelf(dispatch, deps.trust)(found.author) && false;',
      },
    ],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: attributes that nobody sees',
    keeps: 'hidden text from reaching a prompt',
    off: [
      {
        mark: 'trust: attributes that nobody sees',
        becomes: 'if (kept.length <= tag.attributes.length) return source;',
      },
    ],
    tests: { files: ['src/security/hidden-text.test.ts'] },
  },
  {
    name: 'trust: texts of events cleaned',
    keeps: 'hidden text from reaching a prompt by way of the event',
    off: [{ mark: 'trust: texts of events cleaned', becomes: 'messages: context.messages,' }],
    tests: { files: CONTEXT },
  },
];
