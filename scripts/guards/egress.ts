import type { Guard } from './guard.ts';

const DOOR = { files: ['src/egress/door.test.ts'] };
const GATE = { files: ['src/egress/hello-gate.test.ts'] };

/** The network by name: what an agent reaches is on the list, public, and the one it said. */
export const EGRESS_GUARDS: Guard[] = [
  {
    name: 'egress: the list',
    keeps: 'an agent from reaching a host that nobody allowed',
    off: [{ mark: 'egress: the list', becomes: 'void isAllowed;' }],
    tests: { ...DOOR, named: 'refuses what is not on the list' },
  },
  {
    name: 'egress: names on the list',
    keeps: 'a name from being allowed because it looks like one that is',
    off: [{ mark: 'egress: names on the list', becomes: 'return host.endsWith(one.host);' }],
    tests: { files: ['src/egress/target.test.ts'], named: 'does not allow' },
  },
  {
    name: 'egress: the port',
    keeps: 'an allowed host from being reached on another port',
    off: [{ mark: 'egress: the port', becomes: '' }],
    tests: { ...DOOR, named: 'the same host on another port' },
  },
  {
    name: 'egress: public addresses',
    keeps: 'a name from leading to this machine, or into a private network',
    off: [
      {
        mark: 'egress: public addresses',
        becomes:
          "const why = (address === '' ? whyForbidden(address, { rules, own: ours }) : null) as string | null;",
      },
    ],
    tests: { ...DOOR, named: 'leads to this machine' },
  },
  {
    name: 'egress: the address is pinned',
    keeps: 'a name from changing its address between the look-up and the connection',
    off: [
      {
        mark: 'egress: the address is pinned',
        becomes: [
          'const socket = open({',
          '  host: target.host,',
          '  port,',
          '  allowHalfOpen: true,',
          '  lookup: (name, _options, done) =>',
          '    void at.lookup(name).then((all) => done(null, all.map((one) => ({ address: one, family: 4 }))), () => done(null, address, 4)),',
          '});',
        ].join('\n'),
      },
    ],
    tests: { ...DOOR, named: 'connects to the address that was judged' },
  },
  {
    name: 'egress: server name',
    keeps: 'an allowed address from being asked for another server in TLS',
    off: [{ mark: 'egress: server name', becomes: 'return null;' }],
    tests: { ...DOOR, named: 'names another server in TLS' },
  },
  {
    name: 'egress: the second hello',
    keeps: 'another server from being asked for after the first hello',
    off: [{ mark: 'egress: the second hello', becomes: '' }],
    tests: { ...GATE, named: 'is refused with another name' },
  },
  {
    name: 'egress: no hidden server name',
    keeps: 'a client from hiding whom it asks for',
    off: [
      {
        mark: 'egress: no hidden server name',
        becomes: 'void ENCRYPTED_CLIENT_HELLO, ENCRYPTED_SERVER_NAME;',
      },
    ],
    tests: { ...GATE, named: 'is refused: an encrypted' },
  },
  {
    name: 'egress: a run that has read strangers’ words',
    keeps: 'a marked run from having names looked up',
    off: [{ mark: 'egress: a run that has read strangers’ words', becomes: '' }],
    tests: { ...DOOR, named: 'has no network from that moment' },
  },
  {
    name: 'egress: a mark in mid-run',
    keeps: 'a tunnel from going on after its run has read strangers’ words',
    off: [{ mark: 'egress: a mark in mid-run', becomes: '' }],
    tests: { ...DOOR, named: 'has no network from that moment' },
  },
  {
    name: 'egress: bytes that are sent',
    keeps: 'a run from sending without an end',
    off: [{ mark: 'egress: bytes that are sent', becomes: 'budget.send(answer.bytes.length);' }],
    tests: { ...DOOR, named: 'more than the run may' },
  },
  {
    name: 'egress: bytes that are received',
    keeps: 'a run from receiving without an end',
    off: [{ mark: 'egress: bytes that are received', becomes: 'budget.receive(chunk.length);' }],
    tests: { ...DOOR, named: 'more than the run may' },
  },
  {
    name: 'egress: the time of a connection',
    keeps: 'a connection from lasting for ever',
    off: [{ mark: 'egress: the time of a connection', becomes: 'const life = setTimeout(() => {}, 0);' }],
    tests: { ...DOOR, named: 'lasts too long' },
  },
  {
    name: 'egress: nothing through a proxy',
    keeps: 'a host from being resolved by a proxy, where no address could be refused',
    off: [{ mark: 'egress: nothing through a proxy', becomes: 'void checkReachedDirectly;' }],
    tests: { files: ['src/config/allowed-hosts.test.ts'], named: 'behind the proxy of the service' },
  },
  {
    name: 'egress: opened to a restricted run only by its agent’s file',
    keeps: 'the hosts of an agent from staying open to what a stranger’s words make it send',
    off: [
      {
        mark: 'egress: opened to a restricted run only by its agent’s file',
        becomes: 'restriction: () => null,',
      },
    ],
    tests: { files: ['src/dispatch/converse/name-door.test.ts'] },
  },
  {
    name: 'egress: connections at once',
    keeps: 'a run from holding more connections than it may',
    off: [{ mark: 'egress: connections at once', becomes: 'void connections;' }],
    tests: { ...DOOR, named: 'only so many at once' },
  },
];
