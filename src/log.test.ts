import { describe, expect, test } from 'vitest';
import { createLog, type LogOptions } from './log.ts';

const TOKEN = 'tok-4f9a77c1';
const PASSPHRASE = 'cor"rect\\horse\nbattery';

function logOf(partial: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: 'debug',
    format: 'json',
    secrets: () => [TOKEN, PASSPHRASE],
    write: (line) => void lines.push(line),
    ...partial,
  });
  return { log, lines };
}

/** Every way a secret could come in. */
function placesOf(secret: string): Record<string, { message?: string; fields?: Record<string, unknown> }> {
  const failure = new Error(`401 with ${secret}`, { cause: new Error(secret) });
  return {
    message: { message: `Authorization: Bearer ${secret}` },
    field: { fields: { token: secret } },
    'deep in a field': {
      fields: { request: { headers: [{ name: 'authorization', value: `x ${secret} y` }] } },
    },
    'name of a field': { fields: { [secret]: 1 } },
    error: { fields: { err: failure } },
    'error under another name': { fields: { failure: String(failure) } },
    'stack trace': { fields: { stack: failure.stack } },
    'URL, percent-encoded': {
      message: `GET https://x.example/?key=${encodeURIComponent(secret)}`,
      fields: { url: `https://u:${encodeURIComponent(secret)}@x.example/` },
    },
    'JSON in a field': { fields: { body: JSON.stringify({ auth: { token: secret } }) } },
    'JSON in JSON': { fields: { body: JSON.stringify({ inner: JSON.stringify({ token: secret }) }) } },
    'JSON in the message': { message: `sent ${JSON.stringify({ token: secret })}` },
    twice: { message: secret + secret, fields: { a: secret, b: secret } },
  };
}

/** The secret in every form it could be written back from. */
const formsOf = (secret: string) => {
  const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
  const once = escaped(secret);
  return [secret, once, escaped(once), escaped(escaped(once)), encodeURIComponent(secret)];
};

describe.each(['json', 'pretty'] as const)('a secret never appears (%s)', (format) => {
  describe.each([
    ['a token', TOKEN],
    ['one with quotes, a backslash and a line break', PASSPHRASE],
  ])('%s', (_, secret) => {
    test.each(Object.entries(placesOf(secret)))('in: %s', (_place, { message = 'a message', fields }) => {
      const { log, lines } = logOf({ format });
      log.info(message, fields);
      log.child(fields ?? {}).error(message, fields);
      expect(lines).toHaveLength(2);
      for (const line of lines) {
        for (const form of formsOf(secret)) expect(line).not.toContain(form);
        expect(line).toContain('[redacted]');
      }
    });
  });

  test('when it is a number, a word of the log itself, or learnt later', () => {
    let secrets = ['443322'];
    const { log, lines } = logOf({ format, secrets: () => secrets });
    log.warn('port 443322', { port: 443322, ports: [443322, 1], open: true });
    secrets = ['true', 'level', 'learnt-later'];
    log.warn('learnt-later', { level: 'learnt-later', open: true });
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toMatch(/443322|learnt-later/);
    if (format === 'json') {
      expect(lines.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({
          level: 'warn',
          msg: 'port [redacted]',
          port: '[redacted]',
          ports: ['[redacted]', 1],
        }),
        expect.objectContaining({ msg: '[redacted]' }),
      ]);
    } else {
      expect(lines[0]).toMatch(/^\S+Z WARN {2}port \[redacted\] port=\[redacted\] .*\n$/);
    }
  });
});

describe('a line', () => {
  test('in JSON is one object with level, time and the child’s fields', () => {
    const { log, lines } = logOf();
    log.child({ dispatch: 'd-1' }).info('runs', { attempt: 2 });
    expect(lines[0]!.endsWith('}\n')).toBe(true);
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      dispatch: 'd-1',
      attempt: 2,
      msg: 'runs',
    });
  });

  test('for a terminal has the time with its zone, the level, the message, and what is there of the fields', () => {
    const { log, lines } = logOf({ format: 'pretty' });
    log.info('listens');
    log.error('refused', { status: 401, item: 'ada/greeter#1', reason: 'not yet', by: null, of: ['a', 'b'] });
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO {2}listens\n$/);
    expect(lines[1]).toMatch(/Z ERROR refused status=401 item=ada\/greeter#1 reason="not yet" of=a,b\n$/);
  });

  test('below the level is not written', () => {
    const { log, lines } = logOf({ level: 'warn' });
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['c', 'd']);
  });
});

describe.each(['json', 'pretty'] as const)('what others wrote stays data (%s)', (format) => {
  const only = (lines: string[]) => {
    expect(lines).toHaveLength(1);
    expect(lines[0]!.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    return lines[0]!;
  };

  test.each([
    ['a line break', 'x\n2026-01-01T00:00:00Z ERROR made up'],
    ['a return', 'x\rmade up'],
    ['the terminal’s own codes', '\u001b[2J\u009b31m\u0007'],
    ['a next line, a separator', 'x\u0085y\u2028z\u2029'],
    ['a turned direction, unseen letters', '\u202egnp.exe\u200d\u{e0041}'],
  ])('%s is escaped, in a message, a field and a name', (_, text) => {
    const { log, lines } = logOf({ format });
    log.info(text, { text, [text]: [text], deep: { [text]: text } });
    const line = only(lines);
    if (format === 'json')
      expect(JSON.parse(line)).toMatchObject({ msg: text, text, deep: { [text]: text } });
  });

  test('a value looks like no other field, and a field like no level', () => {
    const { log, lines } = logOf({ format });
    log.info('decided', { sender: 'eve decision=routed', level: 'error', msg: 'other', time: 'never' });
    const line = only(lines);
    if (format === 'json') expect(JSON.parse(line)).toMatchObject({ level: 'info', msg: 'decided' });
    else expect(line).toMatch(/Z INFO {2}decided sender="eve decision=routed" field_level=error /);
  });

  test('a text, a list and a depth have an end, and a secret on the cut is out', () => {
    const { log, lines } = logOf({ format });
    const long = `${'x'.repeat(1995)}${TOKEN}${'y'.repeat(5_000_000)}`;
    let deep: unknown = 'bottom';
    for (let n = 0; n < 200; n++) deep = { deep };
    log.info(long, { long, list: Array.from({ length: 5000 }, () => 'entry'), deep });
    const line = only(lines);
    expect(line.length).toBeLessThan(8000);
    expect(line).not.toContain('tok-');
    expect(line).toContain('more characters]');
    expect(line).toContain('[4900 more]');
  });

  test('an error is its sentence, and a stack is one line', () => {
    const { log, lines } = logOf({ format });
    const error = new TypeError('no such thing');
    log.error('failed', { error, stack: error.stack });
    const line = only(lines);
    expect(line).toContain('TypeError: no such thing');
    expect(line).toMatch(/at .*log\.test\.ts:\d+:\d+/);
  });
});
