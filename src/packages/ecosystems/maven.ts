/** A Maven repository in its usual layout: `<group with slashes>/<artifact>/<version>/<file>`, the same at the door. */
import type { Asked, AskedMetadata, Ecosystem } from '../ecosystem.ts';

const PART = /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,120}$/;
const MAX_PARTS = 24;
const METADATA = 'maven-metadata.xml';
const CHECKSUM = /\.(?:md5|sha1|sha256|sha512|asc)$/;
const CONF = '/run/claude-hooks/maven';

export const maven: Ecosystem = {
  name: 'maven',
  contentType: 'application/octet-stream',
  parse: (path) => {
    const parts = path.split('/');
    if (parts.length < 3 || parts.length > MAX_PARTS || !parts.every((part) => PART.test(part))) return null;
    const file = parts.at(-1)!;
    return file.replace(CHECKSUM, '') === METADATA ? metadata(parts) : ofVersion(parts);
  },
  metadataAt: (asked, registry) => ({ url: `${registry}/${pathOf(asked)}`, accept: '*/*' }),
  rewrite: (document) => document,
  locate: async ({ name, version, file }, { registry }) => ({
    url: `${registry}/${folderOf(name)}/${version}/${file}`,
    digests: [],
  }),
  refusal: (message) => ({ body: `${message}\n`, contentType: 'text/plain; charset=utf-8' }),
  environment: ({ base }) => ({
    // A folder of settings for all: `-s` in MAVEN_ARGS is read by Maven 3.9 and newer only, this by every Maven 3.
    variables: { MAVEN_OPTS: `-Dmaven.conf=${CONF}` },
    files: {
      [`${CONF}/settings.xml`]: `<settings><mirrors><mirror><id>package-door</id><mirrorOf>*</mirrorOf><url>${base}</url></mirror></mirrors></settings>\n`,
      // Without this file Maven's log has dates and threads in each line.
      [`${CONF}/logging/simplelogger.properties`]: [
        'org.slf4j.simpleLogger.defaultLogLevel=info',
        'org.slf4j.simpleLogger.showDateTime=false',
        'org.slf4j.simpleLogger.showThreadName=false',
        'org.slf4j.simpleLogger.showLogName=false',
        'org.slf4j.simpleLogger.logFile=System.out',
        'org.slf4j.simpleLogger.levelInBrackets=true',
        'org.slf4j.simpleLogger.warnLevelString=WARNING',
        '',
      ].join('\n'),
    },
  }),
};

/** Which versions there are; of a snapshot, which builds. The path does not tell a group from an artifact. */
function metadata(parts: readonly string[]): Asked | null {
  const [file, last] = [parts.at(-1)!, parts.at(-2)!];
  const snapshot = last.endsWith('-SNAPSHOT');
  const name = nameOf(snapshot ? parts.slice(0, -2) : parts.slice(0, -1));
  if (name === null) return null;
  return { kind: 'metadata', name, part: file, ...(snapshot ? { version: last } : {}) };
}

function ofVersion(parts: readonly string[]): Asked | null {
  const [file, version, artifact] = [parts.at(-1)!, parts.at(-2)!, parts.at(-3)!];
  const name = nameOf(parts.slice(0, -2));
  // guard: packages: a file of that project, Maven
  if (name === null || !belongs(file, artifact, version)) return null;
  if (CHECKSUM.test(file)) return { kind: 'metadata', name, part: file, version };
  return { kind: 'artefact', name, version, file };
}

/** `<artifact>-<version>.jar`, `<artifact>-<version>-<classifier>.jar`; a snapshot has a time in place of its word. */
function belongs(file: string, artifact: string, version: string): boolean {
  const stem = `${artifact}-${version.replace(/SNAPSHOT$/, '')}`;
  if (!file.startsWith(stem)) return false;
  return version.endsWith('-SNAPSHOT') || /^[.-]/.test(file.slice(stem.length));
}

function nameOf(parts: readonly string[]): string | null {
  // A point in a folder of the group would be another folder in the address that is made of the name.
  if (parts.slice(0, -1).some((part) => part.includes('.'))) return null;
  return parts.length < 2 ? null : `${parts.slice(0, -1).join('.')}:${parts.at(-1)}`;
}

function folderOf(name: string): string {
  const [group = '', artifact = ''] = name.split(':');
  return `${group.replaceAll('.', '/')}/${artifact}`;
}

function pathOf({ name, part, version }: AskedMetadata): string {
  return [folderOf(name!), ...(version === undefined ? [] : [version]), part].join('/');
}
