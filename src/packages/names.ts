/** The name by which PyPI knows a project, whatever spelling was used (PEP 503). */
export function pypiName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}

/** crates.io takes no two names that differ in case alone; its index writes them small. */
export function crateName(name: string): string {
  return name.toLowerCase();
}
