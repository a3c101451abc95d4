import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { readClientHello } from './client-hello.ts';
import { HelloGate } from './hello-gate.ts';

/** What Node's own client says first to a server of this name; '' = it names none. */
async function realHello(servername: string): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.once('data', (bytes: Buffer) => {
        socket.destroy();
        server.close();
        resolve(bytes);
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      const client = connectTls({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
      client.on('error', () => {});
    });
    server.on('error', reject);
  });
}

const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const block16 = (bytes: Buffer) => Buffer.concat([u16(bytes.length), bytes]);
const extension = (type: number, bytes: Buffer) => Buffer.concat([u16(type), block16(bytes)]);
const named = (name: string) =>
  extension(0, block16(Buffer.concat([Buffer.from([0]), block16(Buffer.from(name))])));

function message(extensions: Buffer[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    block16(Buffer.from([0x13, 0x01])),
    Buffer.from([1, 0]),
    block16(Buffer.concat(extensions)),
  ]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  head[0] = 1;
  return Buffer.concat([head, body]);
}

const record = (bytes: Buffer, type = 22) => Buffer.concat([Buffer.from([type, 3, 1]), block16(bytes)]);
const hello = (...extensions: Buffer[]) => record(message(extensions));
const CHANGE = Buffer.from([20, 3, 3, 0, 1, 1]);

function inPieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

function passed(gate: HelloGate, pieces: readonly Buffer[]) {
  const out: Buffer[] = [];
  for (const piece of pieces) {
    const answer = gate.take(piece);
    if (answer.kind === 'refused') return { why: answer.why, name: answer.name, out: Buffer.concat(out) };
    if (answer.kind === 'pass') out.push(answer.bytes);
  }
  return { why: null, name: null, out: Buffer.concat(out) };
}

describe('the server name in a TLS hello', () => {
  it('is read from what a real client sends', async () => {
    expect(readClientHello(await realHello('files.example.org'))).toMatchObject({
      kind: 'hello',
      name: 'files.example.org',
    });
    expect(readClientHello(await realHello(''))).toMatchObject({ kind: 'hello', name: null });
  });

  it('passes unchanged when it is the one that was asked for, however it is cut', async () => {
    const real = Buffer.concat([
      await realHello('files.example.org'),
      CHANGE,
      Buffer.from('17030300', 'hex'),
    ]);
    for (const size of [1, 2, 5, 6, 100, real.length]) {
      const { why, out } = passed(new HelloGate('files.example.org'), inPieces(real, size));
      expect({ size, why, out: out.equals(real) }).toEqual({ size, why: null, out: true });
    }
  });

  it('is found when the hello is spread over several records', () => {
    const parts = inPieces(message([named('files.example.org')]), 20).map((part) => record(part));
    const all = Buffer.concat(parts);
    expect(passed(new HelloGate('files.example.org'), inPieces(all, 3)).out.equals(all)).toBe(true);
    expect(passed(new HelloGate('other.example.org'), inPieces(all, 3))).toMatchObject({
      why: 'other-server-name',
      name: 'files.example.org',
    });
  });

  it.each([
    ['another name', hello(named('other.example.org')), 'other-server-name'],
    ['a name below it', hello(named('x.files.example.org')), 'other-server-name'],
    ['the name with a dot at its end', hello(named('files.example.org.')), 'other-server-name'],
    ['no name', hello(), 'no-server-name'],
    [
      'an encrypted hello',
      hello(named('files.example.org'), extension(0xfe0d, Buffer.alloc(8))),
      'hidden-server-name',
    ],
    [
      'an encrypted name',
      hello(named('files.example.org'), extension(0xffce, Buffer.alloc(8))),
      'hidden-server-name',
    ],
    ['early data', hello(named('files.example.org'), extension(42, Buffer.alloc(0))), 'early-data'],
    ['two extensions with names', hello(named('files.example.org'), named('other.example.org')), 'not-tls'],
    [
      'two names in one extension',
      hello(
        extension(
          0,
          block16(
            Buffer.concat(
              ['files.example.org', 'other.example.org'].map((name) =>
                Buffer.concat([Buffer.from([0]), block16(Buffer.from(name))]),
              ),
            ),
          ),
        ),
      ),
      'not-tls',
    ],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: files.example.org\r\n\r\n'), 'not-tls'],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), 'not-tls'],
    ['an alert', record(Buffer.from([2, 40]), 21), 'not-tls'],
    ['another message of a handshake', record(Buffer.from([2, 0, 0, 1, 0])), 'not-tls'],
    ['an empty record', record(Buffer.alloc(0)), 'not-tls'],
    [
      'something behind the hello',
      record(Buffer.concat([message([named('files.example.org')]), Buffer.alloc(4)])),
      'not-tls',
    ],
    ['a hello without an end', record(Buffer.from([1, 0xff, 0xff, 0xff, 3, 3])), 'hello-too-long'],
    [
      'many tiny records',
      Buffer.concat(inPieces(message([named('files.example.org')]), 1).map((b) => record(b))),
      'hello-too-long',
    ],
  ])('is refused: %s', (_, bytes, why) => {
    const { out, ...told } = passed(new HelloGate('files.example.org'), [bytes]);
    expect(told.why).toBe(why);
    expect(out.length).toBe(0);
  });

  it('is refused when a length in the hello points past its end', () => {
    const whole = message([named('files.example.org')]);
    for (let at = 38; at < whole.length; at++) {
      const broken = Buffer.from(whole);
      broken[at] = 0xff;
      const { why } = passed(new HelloGate('files.example.org'), [record(broken)]);
      // A byte of the cipher list or of the compression methods changes no length.
      const isLength = ![41, 42, 44].includes(at);
      expect({ at, refused: why !== null }).toEqual({ at, refused: isLength });
    }
  });

  it('counts for an address only if no name is given', () => {
    expect(passed(new HelloGate(null), [hello()]).why).toBeNull();
    expect(passed(new HelloGate(null), [hello(named('files.example.org'))]).why).toBe('other-server-name');
  });
});

describe('a second hello, after the server asked for it', () => {
  const first = hello(named('files.example.org'));

  it.each([[[]], [[CHANGE]]])('is refused with another name (%#)', (between) => {
    const second = hello(named('other.example.org'));
    for (const size of [1, 7, 4000]) {
      const gate = new HelloGate('files.example.org');
      const { why, out } = passed(gate, inPieces(Buffer.concat([first, ...between, second]), size));
      expect(why).toBe('other-server-name');
      expect(out.includes('other.example.org')).toBe(false);
    }
  });

  it('passes with the same name, and what follows is not looked at', () => {
    const all = Buffer.concat([
      first,
      CHANGE,
      first,
      record(Buffer.from('x'), 23),
      hello(named('other.example.org')),
    ]);
    const { why, out } = passed(new HelloGate('files.example.org'), inPieces(all, 9));
    expect(why).toBeNull();
    expect(out.equals(all)).toBe(true);
  });

  it.each([
    ['encrypted data', record(Buffer.from([1, 0, 0, 9]), 23)],
    ['the next message of TLS 1.2', record(Buffer.from([16, 0, 0, 1, 0]))],
    ['an encrypted message whose first byte is 1', record(Buffer.from([1, 9, 9, 9, 5, 5, 5, 5]))],
  ])('is not taken for one: %s', (_, bytes) => {
    const all = Buffer.concat([first, CHANGE, bytes]);
    expect(passed(new HelloGate('files.example.org'), inPieces(all, 4)).out.equals(all)).toBe(true);
  });
});
