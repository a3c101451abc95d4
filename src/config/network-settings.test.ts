import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeAuthority } from '../../test/support/own-authority.ts';
import { needs } from '../../test/support/requirements.ts';
import type { ConfigError } from '../errors.ts';
import type { LoadedConfig } from './config.ts';
import { readConfig } from './load.ts';

function read(
  network: Record<string, unknown>,
  env: Record<string, string> = {},
  files: Record<string, string> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-network-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const home = { kind: 'forgejo', url: 'https://forge.test', webhook_secret: '${S}', repositories: ['a/b'] };
  const file = join(folder, 'claude-hooks.yaml');
  writeFileSync(file, JSON.stringify({ model: { api_key: '${S}' }, forges: { home }, network }));
  return readConfig({ file, env: { S: 'a-secret-of-the-test', ...env } }).outcome;
}

function loaded(...given: Parameters<typeof read>): LoadedConfig {
  const outcome = read(...given);
  if (outcome.kind === 'rejected') throw outcome.error;
  return outcome.config;
}

function rejected(...given: Parameters<typeof read>): ConfigError {
  const outcome = read(...given);
  if (outcome.kind === 'loaded') throw new Error('it was loaded');
  return outcome.error;
}

describe('proxies', () => {
  test('as the environment says: lower case first, then upper case, then for all', () => {
    const env = {
      http_proxy: 'http://small.test:1/',
      HTTP_PROXY: 'http://large.test:1',
      ALL_PROXY: 'https://all.test',
      no_proxy: '.corp.test, 10.0.0.0/8',
    };
    expect(loaded({}, env).network).toMatchObject({
      proxies: { http: 'http://small.test:1', https: 'https://all.test' },
      noProxy: ['.corp.test', '10.0.0.0/8'],
    });
    expect(loaded({}, { https_proxy: 'proxy.test:3128' }).network.proxies).toEqual({
      http: null,
      https: 'http://proxy.test:3128',
    });
    expect(loaded({}, { https_proxy: '' }).network.proxies).toEqual({ http: null, https: null });
  });

  test('options win, each for itself', () => {
    const env = { https_proxy: 'socks5://old.test', no_proxy: 'corp.test' };
    expect(loaded({ proxy: '${P}' }, { ...env, P: 'http://own.test:8080' }).network).toMatchObject({
      proxies: { http: 'http://own.test:8080', https: 'http://own.test:8080' },
      noProxy: ['corp.test'],
    });
    expect(loaded({ no_proxy: ['*'] }, { https_proxy: 'http://p.test' }).network.noProxy).toEqual(['*']);
  });

  test('what is no proxy of HTTP: what it is, whose word it was, and what to do; never its password', () => {
    const { message, problems } = rejected({ proxy: '${P}' }, { P: 'socks5://ada:open-sesame@proxy.test' });
    expect(problems).toMatchObject([
      {
        path: 'network.proxy',
        problem: expect.stringContaining('of the kind socks5'),
        remedy: expect.stringContaining('http://proxy'),
      },
    ]);
    const other = rejected({}, { all_proxy: 'socks5h://ada:open-sesame@proxy.test' });
    expect(other.problems).toMatchObject([
      {
        problem: expect.stringMatching(/^the environment variable all_proxy names a proxy/),
        remedy: expect.stringContaining('Correct all_proxy'),
      },
    ]);
    const bent = rejected({ proxy: 'http://ada:open-sesame@proxy.test/%%%/path' });
    expect(`${message}${other.message}${bent.message}`).not.toContain('open-sesame');
    expect(rejected({ proxy: 'http://' }).problems[0]?.problem).toBe('is not the address of a proxy');
    expect(rejected({ no_proxy: ['a b'] }).problems[0]?.path).toBe('network.no_proxy[0]');
  });

  test('its password is a secret, as written and as meant', () => {
    expect(loaded({}, { https_proxy: 'http://ada:open%20sesame@proxy.test' }).secrets).toEqual(
      expect.arrayContaining(['open%20sesame', 'open sesame']),
    );
  });
});

const tls = needs('openssl');
describe.skipIf(!tls.ok)(tls.title('authorities'), () => {
  /** Its file, and what stands in it. */
  function own(): { file: string; pem: string } {
    const { file } = makeAuthority('own');
    return { file, pem: readFileSync(file, 'utf8').trim() };
  }

  test('of the option, and of each variable that another program listens to', () => {
    const { file, pem } = own();
    expect(
      loaded({ ca_file: 'own.pem' }, {}, { 'own.pem': `a comment\n${pem}\n` }).network.authorities,
    ).toEqual([pem]);
    for (const variable of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'GIT_SSL_CAINFO'])
      expect(loaded({}, { [variable]: file }).network.authorities, variable).toEqual([pem]);
  });

  test('a file that is missing, unreadable, of another form or broken: which, and what to do', () => {
    const { pem } = own();
    const remedy = expect.stringContaining('in PEM form (`openssl x509 -inform der');
    const broken = pem.replace(/\n[^\n]{20}/, '\n');
    for (const [files, problem] of [
      [{}, 'is not there'],
      [{ 'own.pem': '\u0000\u0001DER' }, 'is not a text in UTF-8'],
      [{ 'own.pem': 'something else' }, 'holds no certificate in PEM form'],
      [{ 'own.pem': `${pem}\n${broken}` }, 'holds a certificate that cannot be read (number 2)'],
    ] as const)
      expect(rejected({ ca_file: './own.pem' }, {}, files).problems).toMatchObject([
        { path: 'network.ca_file', value: './own.pem', problem, remedy },
      ]);
  });

  test('a variable that leads to nothing is a warning: other programs ignore it, too', () => {
    const { warnings, network } = loaded({}, { NODE_EXTRA_CA_CERTS: '/nowhere/ca.pem' });
    expect(network.authorities).toEqual([]);
    expect(warnings.join()).toContain('NODE_EXTRA_CA_CERTS names /nowhere/ca.pem, which is not there');
  });
});
