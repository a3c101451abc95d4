/** The name by which PyPI knows a project, whatever spelling was used (PEP 503). */
export function pypiName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}

/** crates.io takes no two names that differ in case alone; its index writes them small. */
export function crateName(name: string): string {
  return name.toLowerCase();
}

const PYPI_VERSION =
  /^(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;
const PRE: Readonly<Record<string, string>> = { alpha: 'a', beta: 'b', preview: 'rc', pre: 'rc', c: 'rc' };

/** One spelling for all that PEP 440 calls equal, so that `1.0` of a file is the `1.0.0` of a lock file. */
export function pypiVersion(version: string): string {
  const small = version.toLowerCase().replace(/^v/, '');
  const found = small.length > 200 ? null : PYPI_VERSION.exec(small);
  if (found === null) return small;
  const [, epoch = '0', release = '', pre, preNumber, dashed, post, postNumber, dev, devNumber, local] =
    found;
  return [
    epoch === '0' ? '' : `${epoch}!`,
    release.replace(/(?:\.0+)+$/, ''),
    pre === undefined ? '' : `${PRE[pre] ?? pre}${Number(preNumber)}`,
    dashed === undefined && post === undefined ? '' : `.post${Number(dashed ?? postNumber)}`,
    dev === undefined ? '' : `.dev${Number(devNumber)}`,
    local === undefined ? '' : `+${local.replace(/[-_]/g, '.')}`,
  ].join('');
}
