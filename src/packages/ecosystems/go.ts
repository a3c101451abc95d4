/** Go's module proxy protocol. `registry` is a GOPROXY; the door speaks the same. */
import type { Asked, AskedMetadata, Ecosystem } from '../ecosystem.ts';
import { goHashesOf } from './go-hash.ts';

/** In addresses a capital letter is `!` and the small one. */
const ESCAPED_PATH = /^(?:[a-z0-9~_-]|![a-z]|\.(?!\.|\/|$))+(?:\/(?:[a-z0-9~_-]|![a-z]|\.(?!\.|\/|$))+)*$/;
const ESCAPED_VERSION = /^(?:[a-z0-9._~+-]|![a-z]){1,200}$/;
const MAX_PATH = 255;

export const go: Ecosystem = {
  name: 'go',
  contentType: 'application/octet-stream',
  parse: (path) => {
    const at = path.lastIndexOf('/@');
    const [module, rest] = [path.slice(0, Math.max(at, 0)), path.slice(at + 1)];
    if (module.length > MAX_PATH || !ESCAPED_PATH.test(module)) return null;
    return asked(unescaped(module), rest);
  },
  metadataAt: (a, registry) => ({ url: `${registry}/${escaped(a.name!)}/${partOf(a)}`, accept: '*/*' }),
  rewrite: (document, { asked: a, locked }) => {
    if (a.part !== '@v/list' || locked === null) return document;
    const versions = new Set(locked.map(({ version }) => version));
    const lines = document.body
      .toString('utf8')
      .split('\n')
      .filter((line) => versions.has(line.trim()));
    return { ...document, body: Buffer.from(lines.map((line) => `${line}\n`).join('')) };
  },
  locate: async ({ name, version, file }, { registry }) => {
    const extension = file === 'go.mod' ? 'mod' : 'zip';
    return { url: `${registry}/${escaped(name)}/@v/${escaped(version)}.${extension}`, digests: [] };
  },
  digestsOf: goHashesOf,
  refusal: (message) => ({ body: `${message}\n`, contentType: 'text/plain; charset=utf-8' }),
  environment: ({ base }) => ({
    variables: {
      GOPROXY: base,
      // The checksum database is no registry, and the door does not lead there: go.sum decides, here and at the door.
      GOSUMDB: 'off',
      // Another toolchain would be a module that no go.sum names.
      GOTOOLCHAIN: 'local',
    },
    files: {},
  }),
};

function asked(name: string, rest: string): Asked | null {
  if (rest === '@v/list' || rest === '@latest') return { kind: 'metadata', name, part: rest };
  const [, written = '', extension] = /^@v\/(.+)\.(info|mod|zip)$/.exec(rest) ?? [];
  if (!ESCAPED_VERSION.test(written)) return null;
  const version = unescaped(written);
  if (extension === 'info') return { kind: 'metadata', name, part: '@v/info', version };
  return { kind: 'artefact', name, version, file: extension === 'mod' ? 'go.mod' : 'module.zip' };
}

function partOf({ part, version }: AskedMetadata): string {
  return version === undefined ? part : `@v/${escaped(version)}.info`;
}

function escaped(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

function unescaped(text: string): string {
  return text.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
