/** npm's registry, as npm, pnpm and yarn ask it. */
import type {
  Asked,
  AskedArtefact,
  AskedMetadata,
  Ecosystem,
  Located,
  Metadata,
  Rewriting,
  ToolSettings,
} from './ecosystem.ts';
import type { Locked } from './locked.ts';
import { PackageRefused } from './refused.ts';

/** As npm allows new names; old ones with upper case exist. */
const PART = '[A-Za-z0-9_~][A-Za-z0-9._~-]*';
const NAME = new RegExp(`^(?:@${PART}/)?${PART}$`);
const MOST_NAME = 214;
/** Semantic Versioning 2.0, which the registry asks for. */
const VERSION = /^\d{1,16}\.\d{1,16}\.\d{1,16}(?:-[0-9A-Za-z.-]{1,128})?(?:\+[0-9A-Za-z.-]{1,128})?$/;

/** npm's short form of a document: what installing needs, a fraction of the whole. */
const SHORT = 'application/vnd.npm.install-v1+json';

export const npm: Ecosystem = {
  name: 'npm',
  contentType: 'application/octet-stream',
  parse,
  metadataAt: (asked, registry) => ({ url: `${registry}/${encodedName(asked)}`, accept: SHORT }),
  rewrite,
  locate,
  refusal: (message) => ({
    body: JSON.stringify({ error: `claude-hooks: ${message}`, message: `claude-hooks: ${message}` }),
    contentType: 'application/json',
  }),
  environment,
};

function parse(path: string): Asked | null {
  const at = path.indexOf('/-/');
  if (at < 0) {
    const name = nameIn(path.replace(/%2f/gi, '/'));
    return name === null ? null : { kind: 'metadata', name, part: '' };
  }
  const name = nameIn(path.slice(0, at).replace(/%2f/gi, '/'));
  const file = path.slice(at + '/-/'.length);
  if (name === null) return null;
  const start = `${name.split('/').at(-1)}-`;
  if (!file.startsWith(start) || !file.endsWith('.tgz')) return null;
  const version = file.slice(start.length, -'.tgz'.length);
  // guard: packages: an address of checked parts
  return VERSION.test(version) ? { kind: 'artefact', name, version, file } : null;
}

function nameIn(text: string): string | null {
  return text.length <= MOST_NAME && NAME.test(text) ? text : null;
}

function encodedName({ name }: { name: string | null }): string {
  return String(name).replace('/', '%2f');
}

interface Document {
  name: string;
  versions: Record<string, { dist?: { tarball?: string; integrity?: string; shasum?: string } }>;
  'dist-tags'?: Record<string, string>;
}

/**
 * Under the policy `lockfile` the document has the locked versions alone: a tool then chooses among what may pass, and
 * does not choose a newer one whose file would be refused.
 */
function rewrite(document: Metadata, { base, asked, locked }: Rewriting): Metadata {
  const whole = read(document.body, asked);
  const kept = Object.entries(whole.versions).filter(([version]) => isLocked(locked, version));
  const versions = Object.fromEntries(
    kept.map(([version, one]) => [
      version,
      { ...one, dist: { ...one.dist, tarball: `${base}/${whole.name}/-/${fileOf(whole.name, version)}` } },
    ]),
  );
  const tags = Object.entries(whole['dist-tags'] ?? {}).filter(([, version]) => version in versions);
  const last = kept.at(-1)?.[0];
  const latest = last === undefined ? {} : { latest: last };
  const body = { name: whole.name, 'dist-tags': { ...latest, ...Object.fromEntries(tags) }, versions };
  return { body: Buffer.from(JSON.stringify(body)), contentType: SHORT };
}

function isLocked(locked: readonly Locked[] | null, version: string): boolean {
  return locked === null || locked.some((one) => one.version === null || one.version === version);
}

function fileOf(name: string, version: string): string {
  return `${name.split('/').at(-1)}-${version}.tgz`;
}

function read(body: Buffer, asked: AskedMetadata): Document {
  const found = parsed(body);
  if (found?.name !== asked.name || typeof found.versions !== 'object' || found.versions === null) {
    throw new PackageRefused(
      502,
      'registry',
      `The registry's answer is no document about ${asked.name}. Try again; if it stays, a person should look at packages.registries.npm.url.`,
    );
  }
  return found;
}

function parsed(body: Buffer): Document | null {
  try {
    return JSON.parse(body.toString('utf8')) as Document | null;
  } catch {
    return null;
  }
}

/** All registries that npm itself can publish to keep a file at this place. */
async function locate({ name, file }: AskedArtefact, { registry }: { registry: string }): Promise<Located> {
  return { url: `${registry}/${name}/-/${file}`, digests: [] };
}

function environment({ base }: { base: string }): ToolSettings {
  return {
    variables: {
      // npm, pnpm and yarn 1 read this one.
      npm_config_registry: `${base}/`,
      // A lock file names the registry that it was made with; npm asks ours in its place.
      npm_config_replace_registry_host: 'always',
      // These ask the registry for more than packages.
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
      YARN_NPM_REGISTRY_SERVER: base,
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      YARN_ENABLE_TELEMETRY: '0',
      COREPACK_NPM_REGISTRY: base,
    },
    files: {},
  };
}
