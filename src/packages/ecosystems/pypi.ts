/**
 * PyPI's simple index. `registry` is the index as pip's `index-url` has it. At the door: `simple/<name>/`, and the files,
 * wherever the index has them, at `files/<name>/<file>`.
 */
import type { AskedArtefact, AskedMetadata, Ecosystem, Metadata, Rewriting } from '../ecosystem.ts';
import { pypiName, pypiVersion } from '../names.ts';
import { readOf } from './bad-document.ts';
import { filesOf, type IndexFile, pageOf } from './pypi-index.ts';

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?$/;
/** What a file name may consist of; `+` and `!` are in versions. */
const FILE = /^[A-Za-z0-9][A-Za-z0-9._+!-]{0,250}\.(?:whl|tar\.gz|zip|tar\.bz2|tgz)(?:\.metadata)?$/;
const METADATA = '.metadata';

export const pypi: Ecosystem = {
  name: 'pypi',
  contentType: 'application/octet-stream',
  parse: (path) => {
    const [kind, name = '', file, ...more] = path.replace(/\/$/, '').split('/');
    if (!NAME.test(name) || more.length > 0) return null;
    if (kind === 'simple' && file === undefined) return { kind: 'metadata', name: pypiName(name), part: '' };
    if (kind !== 'files' || file === undefined || !FILE.test(file)) return null;
    const version = versionOf(file, pypiName(name));
    return version === null ? null : { kind: 'artefact', name: pypiName(name), version, file };
  },
  metadataAt: (asked, registry) => ({
    url: pageAt(asked, registry),
    accept: 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.1',
  }),
  rewrite,
  locate: async (asked, at) => {
    const page: AskedMetadata = { kind: 'metadata', name: asked.name, part: '' };
    const document = await at.metadata(page);
    return locatedIn(filesIn(document, page, at.registry), asked);
  },
  refusal: (message) => ({ body: `${message}\n`, contentType: 'text/plain; charset=utf-8' }),
  environment: ({ base }) => ({
    variables: {
      PIP_INDEX_URL: `${base}/simple/`,
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      UV_DEFAULT_INDEX: `${base}/simple/`,
      // The doors of uv and PDM to interpreters lead elsewhere.
      UV_PYTHON_DOWNLOADS: 'never',
      PDM_PYPI_URL: `${base}/simple/`,
      PIPENV_PYPI_MIRROR: `${base}/simple/`,
    },
    files: {},
  }),
};

function pageAt({ name }: AskedMetadata, registry: string): string {
  return `${registry}/${name}/`;
}

function filesIn(document: Metadata, asked: AskedMetadata, registry: string): IndexFile[] {
  return readOf('pypi', asked.name, () => filesOf(document, pageAt(asked, registry)));
}

function rewrite(document: Metadata, to: Rewriting): Metadata {
  const name = to.asked.name!;
  const locked = to.locked === null ? null : new Set(to.locked.flatMap(({ digests }) => digests));
  const files = filesIn(document, to.asked, to.registry).filter((file) => {
    if (!FILE.test(file.name) || versionOf(file.name, name) === null) return false;
    return locked === null || file.digests.length === 0 || file.digests.some((digest) => locked.has(digest));
  });
  // No lock file has the digest of a `.metadata` file, so tools are not told of them there.
  const shown = locked === null ? files : files.map((file) => ({ ...file, metadata: null }));
  return pageOf({ name, base: to.base, files: shown });
}

function locatedIn(files: readonly IndexFile[], asked: AskedArtefact) {
  const own = asked.file.endsWith(METADATA);
  const name = own ? asked.file.slice(0, -METADATA.length) : asked.file;
  const found = files.find((file) => file.name === name);
  if (found === undefined || (own && found.metadata === null)) return null;
  return own
    ? { url: `${found.url}${METADATA}`, digests: found.metadata! }
    : { url: found.url, digests: found.digests };
}

/** The version in `<name>-<version>-….whl` or `<name>-<version>.tar.gz`; null = the file is not of that project. */
function versionOf(file: string, name: string): string | null {
  const stem = file.replace(/(?:\.whl|\.tar\.gz|\.zip|\.tar\.bz2|\.tgz)(?:\.metadata)?$/, '');
  const parts = stem.split('-');
  for (let count = 1; count < parts.length; count++) {
    // guard: packages: a file of that project, PyPI
    if (pypiName(parts.slice(0, count).join('-')) !== name || !/^[vV]?\d/.test(parts[count]!)) continue;
    return pypiVersion(
      file.includes('.whl') ? parts[count]!.replaceAll('_', '.') : parts.slice(count).join('-'),
    );
  }
  return null;
}
