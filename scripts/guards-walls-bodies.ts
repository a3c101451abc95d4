/** Bodies that nobody has vouched for, large bodies, and the secret that a repository has for itself. */
import type { Guard } from './guards.ts';

const UNSIGNED = ['test/red-team/unsigned-bodies.test.ts'];
const PIECES = 'src/inbox/pieces.ts';

export const WALLS_BODIES_GUARDS: Guard[] = [
  {
    name: 'bodies: header before body',
    keeps: 'a body without a signature from being read at all',
    off: [
      {
        file: 'src/webhook/signature.ts',
        find: "if (sent.kind !== 'digest') throw refused(sent.kind, forge);",
        replace:
          "if (sent.kind !== 'digest') {\n    const digests = new BodyDigests([]);\n    return { digests, prove: () => { throw refused(sent.kind, forge); } };\n  }",
      },
    ],
    tests: { files: UNSIGNED, named: 'without a signature' },
  },
  {
    name: 'bodies: bytes in flight',
    keeps: 'connections that prove nothing from taking all memory',
    off: [
      {
        file: 'src/webhook/in-flight.ts',
        find: "return 'address';",
        replace: 'return null;',
      },
      { file: 'src/webhook/in-flight.ts', find: "return 'all';", replace: 'return null;' },
    ],
    tests: { files: ['src/webhook/in-flight.test.ts', ...UNSIGNED], named: 'address|proves nothing' },
  },
  {
    name: 'bodies: room for small ones',
    keeps: 'large bodies from keeping the usual deliveries out',
    off: [
      {
        file: 'src/webhook/in-flight.ts',
        find: 'const small = held + bytes <= SMALL_BODY;',
        replace: 'const small = false;',
      },
    ],
    tests: { files: ['src/webhook/in-flight.test.ts'] },
  },
  {
    name: 'bodies: slow ones are cut',
    keeps: 'a sender that drips from holding memory and connections for ever',
    off: [
      {
        file: 'src/webhook/read-body.ts',
        find: 'const isSlow = left <= 0 || seen < patience.windowBytes;',
        replace: 'const isSlow = left <= -1_000_000 || seen < 0;',
      },
    ],
    tests: { files: ['src/webhook/read-body.test.ts'], named: 'drips|pace' },
  },
  {
    name: 'bodies: slow headers are cut',
    keeps: 'a connection whose headers never end from staying for ever',
    off: [
      {
        file: 'src/wiring/listening.ts',
        find: 'headersTimeout: 10_000, requestTimeout: 40_000',
        replace: 'headersTimeout: 3_600_000, requestTimeout: 3_600_000',
      },
    ],
    tests: { files: UNSIGNED, named: 'headers never end' },
  },
  {
    name: 'bodies: many secrets, many turns',
    keeps: 'hundreds of secrets from holding up the event loop with each piece',
    off: [
      {
        file: 'src/webhook/read-body.ts',
        find: 'const HASHED_A_TURN = 512 * 1024;',
        replace: 'const HASHED_A_TURN = 1e12;',
      },
    ],
    tests: { files: ['src/webhook/read-body.test.ts'], named: 'hundreds of secrets' },
  },
  {
    name: 'bodies: all pieces or none',
    keeps: 'a delivery from being acknowledged with a hole in it',
    off: [
      {
        file: 'src/inbox.ts',
        find: 'if (Number(count) === pieces) return;',
        replace: 'if (Number(count) <= pieces) return;',
      },
    ],
    tests: { files: ['src/inbox/pieces.test.ts'], named: 'lost a piece' },
  },
  {
    name: 'bodies: orphans are swept',
    keeps: 'pieces that nobody acknowledged from staying for ever',
    off: [
      {
        file: PIECES,
        find: 'for (const { delivery_id } of orphans) await removePieces(database.rows, delivery_id);',
        replace: '',
      },
    ],
    tests: { files: ['src/inbox/pieces.test.ts'], named: 'swept|killed' },
  },
  {
    name: 'bodies: large ones in pieces and in the other thread',
    keeps: 'one large text from silencing the service',
    off: [
      {
        file: PIECES,
        find: 'export const SMALL_BODY_BYTES = 64 * 1024;',
        replace: 'export const SMALL_BODY_BYTES = 64 * 1024 * 1024;',
      },
    ],
    tests: { files: ['test/red-team/large-texts.test.ts'] },
  },
  {
    name: 'bodies: handed on piece by piece',
    keeps:
      'a large body from piling up in the thread that serves, whose collector would stop it for longer than 20 ms',
    off: [
      {
        file: 'src/dispatcher/read-apart.ts',
        find: 'say(worker, { piece: own }, [own.buffer]);',
        replace: 'say(worker, { piece: own });',
      },
    ],
    tests: { files: ['src/dispatcher/read-delivery.test.ts'], named: 'never held here' },
  },
  {
    name: 'reload: nothing is parsed while the files say the same',
    keeps: 'a log file beside the configuration from holding up everything for 25 ms at each of its lines',
    off: [
      {
        file: 'src/config/watch.ts',
        find: 'if (latest.isCurrent()) return;',
        replace: '',
      },
    ],
    tests: { files: ['src/config/watch.test.ts'], named: 'log file beside' },
  },
  {
    name: 'bodies: the shape of JSON',
    keeps: 'ten million lists from taking a gigabyte',
    off: [
      {
        file: 'src/forge/json-shape.ts',
        find: 'if (values > MOST_VALUES)',
        replace: 'if (values > Number.MAX_SAFE_INTEGER)',
      },
      { file: 'src/forge/json-shape.ts', find: 'if (depth > DEEPEST)', replace: 'if (depth > 1e9)' },
    ],
    tests: { files: ['src/dispatcher/read-delivery.test.ts'], named: 'deep|two million keys' },
  },
  {
    name: 'bodies: short texts in events',
    keeps: 'a text of 25 MB from being stored with each message and shown to each condition',
    off: [
      {
        file: 'src/forge/event-limits.ts',
        find: 'if (text.length <= limit) return text;',
        replace: 'if (text.length >= 0) return text;',
      },
    ],
    tests: { files: ['src/dispatcher/read-delivery.test.ts'], named: 'small event' },
  },
  {
    name: 'secret of a repository: scope',
    keeps: 'whoever administers one repository from speaking for another',
    off: [
      {
        file: 'src/dispatcher/facts.ts',
        find: 'const foreign = refuseByScope(forge, identified, delivery.signed_for);',
        replace:
          "const foreign = delivery.signed_for === 'never' ? refuseByScope(forge, identified, null) : null;",
      },
    ],
    tests: { files: ['test/red-team/secret-of-a-repository.test.ts'], named: 'counts for' },
  },
  {
    name: 'secret of a repository: replay',
    keeps: 'a replay from counting for more than what was replayed',
    off: [
      {
        file: 'src/replay.ts',
        find: "scope: stored === undefined ? '*' : stored.signed_for,",
        replace: "scope: '*',",
      },
    ],
    tests: { files: ['test/red-team/secret-of-a-repository.test.ts'], named: 'a replay of it' },
  },
];
