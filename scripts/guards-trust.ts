/** The guards of trust, for scripts/guards.ts. */
import type { Guard } from './guards.ts';

const SENDERS = ['src/dispatcher/senders.test.ts'];
const CONTEXT = ['src/worker/context.test.ts'];

export const TRUST_GUARDS: Guard[] = [
  {
    name: 'trust: permission of the sender',
    keeps: 'a stranger from waking an agent',
    off: [
      {
        file: 'src/dispatcher/decide.ts',
        find: '(facts.sender?.allowed === false ? facts.sender.reason : null)',
        replace: 'null',
      },
    ],
    tests: { files: SENDERS },
  },
  {
    name: 'trust: permission again before the run',
    keeps: 'somebody who was thrown out from having their waiting words carried out',
    off: [
      {
        file: 'src/worker/senders.ts',
        find: 'allowed: messages.filter((_, index) => judgements[index]!.allowed)',
        replace: 'allowed: [...messages]',
      },
    ],
    tests: { files: CONTEXT, named: 'permission' },
  },
  {
    name: 'trust: a forge that is down',
    keeps: 'a delivery from being given up because its sender could not be asked about',
    off: [
      {
        file: 'src/dispatcher.ts',
        find: 'const patient = error instanceof ForgeUnavailable || error instanceof ForgeRefused;',
        replace: 'const patient = error instanceof ForgeUnavailable && error instanceof ForgeRefused;',
      },
    ],
    tests: { files: SENDERS, named: 'cannot be asked' },
  },
  {
    name: 'trust: no answer is no permission',
    keeps: 'a person whom no account may ask about from waking an agent',
    off: [
      {
        file: 'src/trust/sender.ts',
        find: 'return { allowed: isListed, permission, reason };',
        replace: 'return { allowed: true, permission, reason };',
      },
    ],
    tests: { files: SENDERS },
  },
  {
    name: 'trust: accounts by id',
    keeps: 'a stranger who took over the login of an agent from counting as one of ours',
    off: [
      {
        file: 'src/trust/sender.ts',
        find: 'if (id !== undefined) return id === user.id;',
        replace: 'if (id === -99) return true;',
      },
    ],
    tests: { files: SENDERS },
  },
  {
    name: 'trust: identity of a token',
    keeps: 'an agent from acting in the name of somebody else',
    off: [
      {
        file: 'src/trust/identities.ts',
        find: 'if (sameLogin(author.login, login)) return',
        replace: 'if (author.login !== login.repeat(9)) return',
      },
    ],
    tests: { files: ['src/trust/identities.test.ts'] },
  },
  {
    name: 'trust: edited after the trigger',
    keeps: 'a stranger from changing what a run reads after a person asked for it',
    off: [
      {
        file: 'src/worker/pinned-text.ts',
        find: 'return vouching.ids.has(comment.author.id) && !isEdited(comment);',
        replace: 'return vouching.ids.has(comment.author.id) || isEdited(comment) || true;',
      },
    ],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: title and description as they were',
    keeps: 'an author without permission from rewriting the issue between trigger and run',
    off: [
      {
        file: 'src/worker/pinned-text.ts',
        find: 'return { item: { ...item, title, body, ...voices }, notes };',
        replace: 'return { item: { ...item, ...voices }, notes };',
      },
    ],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: forks at the routing',
    keeps: 'an agent from being woken for code of strangers',
    off: [
      {
        file: 'src/dispatcher/consider.ts',
        find: 'const fork = routed.matches.length === 0 ? null : forkRefusal(forge, about.pull);',
        replace: 'const fork = routed.matches.length < 0 ? forkRefusal(forge, about.pull) : null;',
      },
    ],
    tests: { files: SENDERS },
  },
  {
    name: 'trust: forks before the checkout',
    keeps: 'code of strangers from being checked out when only the forge told that it is',
    off: [
      {
        file: 'src/worker/context.ts',
        find: 'if (fork !== null) return',
        replace: "if (fork === '') return",
      },
    ],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: fewer tools beside strangers’ words',
    keeps: 'an instruction hidden in a report from being carried out with every tool',
    off: [
      {
        file: 'src/worker/session-marks.ts',
        find: 'restriction = restrictionBy(marks) ?? restriction;',
        replace: 'restriction = null;',
      },
    ],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: configuration of the base',
    keeps: 'a pull request from instructing the agent that reviews it',
    off: [
      {
        file: 'src/worker/where.ts',
        find: 'const configurationFromBase = !isSelf(request, request.trust)(found.author);',
        replace: 'const configurationFromBase = isSelf(request, request.trust)(found.author) && false;',
      },
    ],
    tests: { files: CONTEXT },
  },
  {
    name: 'trust: attributes that nobody sees',
    keeps: 'hidden text from reaching a prompt',
    off: [
      {
        file: 'src/security/html-tags.ts',
        find: 'if (kept.length === tag.attributes.length && source.length < LONGEST_SEEN) return source;',
        replace: 'if (kept.length <= tag.attributes.length) return source;',
      },
    ],
    tests: { files: ['src/security/hidden-text.test.ts'] },
  },
  {
    name: 'trust: texts of events cleaned',
    keeps: 'hidden text from reaching a prompt by way of the event',
    off: [
      {
        file: 'src/worker/chosen.ts',
        find: 'messages: context.messages.map((m) => ({ ...m, event: shownEvent(m.event, texts) })),',
        replace: 'messages: context.messages,',
      },
    ],
    tests: { files: CONTEXT },
  },
];
