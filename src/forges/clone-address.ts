import { ForgeRefused } from '../errors.ts';

/**
 * Where git finds a repository: below the address that the operator configured. The forge's own `clone_url` is not
 * believed, because the account's token goes to wherever this leads.
 */
export function cloneAddress(base: string, fullName: string): string {
  const names = fullName.split('/');
  if (names.length !== 2 || names.some((name) => !/^[\w.-]+$/.test(name) || /^\.+$/.test(name))) {
    throw new ForgeRefused(
      `The forge calls a repository ${JSON.stringify(fullName.slice(0, 200))}, which is no owner/name. Check that the forge's url leads to the forge.`,
      200,
    );
  }
  return `${base.replace(/\/+$/, '')}/${names.join('/')}.git`;
}
