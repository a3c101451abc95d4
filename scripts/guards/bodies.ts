/** Bodies that nobody has vouched for, large bodies, and the secret that a repository has for itself. */
import type { Guard } from './guard.ts';

const UNSIGNED = ['test/red-team/unsigned-bodies.test.ts'];

export const BODIES_GUARDS: Guard[] = [
  {
    name: 'bodies: header before body',
    keeps: 'a body without a signature from being read at all',
    off: [
      {
        mark: 'bodies: header before body',
        becomes:
          "if (sent.kind !== 'claim') {\n  const digests = { count: 0, update: () => {} };\n  return { digests, prove: () => { throw refused(sent.kind, forge); } };\n}",
      },
    ],
    tests: { files: UNSIGNED, named: 'without a signature' },
  },
  {
    name: 'bodies: bytes in flight',
    keeps: 'connections that prove nothing from taking all memory',
    off: [
      {
        mark: 'bodies: bytes in flight, part 1',
        becomes: 'if (mine + bytes > this.#room.address + (small ? SMALL_ROOM / 2 : 0)) return null;',
      },
      {
        mark: 'bodies: bytes in flight, part 2',
        becomes: 'if (this.#total + bytes > this.#room.total + (small ? SMALL_ROOM : 0)) return null;',
      },
    ],
    tests: { files: ['src/webhook/in-flight.test.ts', ...UNSIGNED], named: 'address|proves nothing' },
  },
  {
    name: 'bodies: room for small ones',
    keeps: 'large bodies from keeping the usual deliveries out',
    off: [{ mark: 'bodies: room for small ones', becomes: 'const small = false;' }],
    tests: { files: ['src/webhook/in-flight.test.ts'] },
  },
  {
    name: 'bodies: slow ones are cut',
    keeps: 'a sender that drips from holding memory and connections for ever',
    off: [{ mark: 'bodies: slow ones are cut', becomes: 'const isSlow = left <= -1_000_000 || seen < 0;' }],
    tests: { files: ['src/webhook/read-body.test.ts'], named: 'drips|pace' },
  },
  {
    name: 'bodies: slow headers are cut',
    keeps: 'a connection whose headers never end from staying for ever',
    off: [
      {
        mark: 'bodies: slow headers are cut',
        becomes:
          'const SERVER_PATIENCE = { headersTimeout: 3_600_000, requestTimeout: 3_600_000, connectionsCheckingInterval: 2000 };',
      },
    ],
    tests: { files: UNSIGNED, named: 'headers never end' },
  },
  {
    name: 'bodies: many secrets, many turns',
    keeps: 'hundreds of secrets from holding up the event loop with each piece',
    off: [{ mark: 'bodies: many secrets, many turns', becomes: 'const HASHED_A_TURN = 1e12;' }],
    tests: { files: ['src/webhook/read-body.test.ts'], named: 'hundreds of secrets' },
  },
  {
    name: 'bodies: all pieces or none',
    keeps: 'a delivery from being acknowledged with a hole in it',
    off: [{ mark: 'bodies: all pieces or none', becomes: 'if (Number(count) <= pieces) return;' }],
    tests: { files: ['src/inbox/pieces.test.ts'], named: 'lost a piece' },
  },
  {
    name: 'bodies: orphans are swept',
    keeps: 'pieces that nobody acknowledged from staying for ever',
    off: [{ mark: 'bodies: orphans are swept', becomes: '' }],
    tests: { files: ['src/inbox/pieces.test.ts'], named: 'swept|killed' },
  },
  {
    name: 'bodies: large ones in pieces and in the other thread',
    keeps: 'one large text from silencing the service',
    off: [
      {
        mark: 'bodies: large ones in pieces and in the other thread',
        becomes: 'export const SMALL_BODY_BYTES = 64 * 1024 * 1024;',
      },
    ],
    tests: { files: ['test/red-team/large-texts.test.ts'] },
  },
  {
    name: 'bodies: handed on piece by piece',
    keeps:
      'a large body from piling up in the thread that serves, whose collector would stop it for longer than 20 ms',
    off: [{ mark: 'bodies: handed on piece by piece', becomes: 'say(worker, { piece: own });' }],
    tests: { files: ['src/router/read-delivery.test.ts'], named: 'never held here' },
  },
  {
    name: 'reload: nothing is parsed while the files say the same',
    keeps: 'a log file beside the configuration from holding up everything for 25 ms at each of its lines',
    off: [{ mark: 'reload: nothing is parsed while the files say the same', becomes: '' }],
    tests: { files: ['src/config/watch.test.ts'], named: 'log file beside' },
  },
  {
    name: 'bodies: the shape of JSON',
    keeps: 'ten million lists from taking a gigabyte',
    off: [
      {
        mark: 'bodies: the shape of JSON, part 1',
        becomes: 'if (values > Number.MAX_SAFE_INTEGER) return `it has more than ${MOST_VALUES} values`;',
      },
      {
        mark: 'bodies: the shape of JSON, part 2',
        becomes: 'if (depth > 1e9) return `it is nested more than ${DEEPEST} deep`;',
      },
    ],
    tests: { files: ['src/router/read-delivery.test.ts'], named: 'deep|two million keys' },
  },
  {
    name: 'bodies: short texts in events',
    keeps: 'a text of 25 MB from being stored with each message and shown to each condition',
    off: [{ mark: 'bodies: short texts in events', becomes: 'if (text.length >= 0) return text;' }],
    tests: { files: ['src/router/read-delivery.test.ts'], named: 'small event' },
  },
  {
    name: 'secret of a repository: scope',
    keeps: 'whoever administers one repository from speaking for another',
    off: [
      {
        mark: 'secret of a repository: scope',
        becomes:
          "const foreign = delivery.signed_for === 'never' ? refuseByScope(forge, identified, null) : null;",
      },
    ],
    tests: { files: ['test/red-team/secret-of-a-repository.test.ts'], named: 'counts for' },
  },
  {
    name: 'secret of a repository: replay',
    keeps: 'a replay from counting for more than what was replayed',
    off: [{ mark: 'secret of a repository: replay', becomes: "const scope = '*';" }],
    tests: { files: ['test/red-team/secret-of-a-repository.test.ts'], named: 'a replay of it' },
  },
];
