/** Which repository of the same forge a submodule's address names. Pure. */

/**
 * `owner/name`, or null for another host, another scheme, or an address that cannot be read. A relative address begins
 * at the repository that names it, with `..` for each step up, as git reads it.
 */
export function submoduleRepository(
  url: string,
  o: { addresses: readonly string[]; fullName: string },
): string | null {
  const path = /^\.\.?\//.test(url) ? stepsFrom(o.fullName, url) : below(o.addresses, url);
  const name = path?.replace(/\/+$/, '').replace(/\.git$/, '');
  return name !== undefined && isFullName(name) ? name : null;
}

function stepsFrom(fullName: string, url: string): string | null {
  const at = fullName.split('/');
  for (const step of url.split('/')) {
    if (step === '.' || step === '') continue;
    if (step !== '..') at.push(step);
    // One step above the owner, the address would leave this forge.
    else if (at.pop() === undefined) return null;
  }
  return at.join('/');
}

function below(addresses: readonly string[], url: string): string | null {
  const found = URL.canParse(url) ? new URL(url) : null;
  if (found === null || !/^https?:$/.test(found.protocol) || found.search !== '' || found.hash !== '')
    return null;
  for (const address of addresses) {
    const base = new URL(`${address.replace(/\/+$/, '')}/`);
    // guard: submodules: only this forge
    if (found.origin !== base.origin || !found.pathname.startsWith(base.pathname)) continue;
    return found.pathname.slice(base.pathname.length);
  }
  return null;
}

function isFullName(name: string): boolean {
  const parts = name.split('/');
  return parts.length === 2 && parts.every((part) => /^[\w.-]{1,100}$/.test(part) && !/^\.+$/.test(part));
}
