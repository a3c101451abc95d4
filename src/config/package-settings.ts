/** Settings of the package door as everybody else reads them: addresses without a slash at the end, headers made. */
import type { EcosystemName } from '../vocabulary.ts';
import type { PackageSettings, RegistrySettings } from './config.ts';
import type { Options } from './options.ts';
import { PUBLIC_REGISTRIES } from './package-options.ts';

type Registry = Options['packages']['registries'][EcosystemName];

export function packageSettings({ policy, registries, cache, limits }: Options['packages']): PackageSettings {
  const entries = Object.entries(registries) as [EcosystemName, Registry][];
  return {
    policy,
    registries: Object.fromEntries(
      entries.map(([name, registry]) => [name, registrySettings(name, registry)]),
    ) as PackageSettings['registries'],
    cache: { maxBytes: cache.max_bytes },
    limits,
  };
}

function registrySettings(name: EcosystemName, registry: Registry): RegistrySettings {
  const isPublic = registry.url.replace(/\/+$/, '') === PUBLIC_REGISTRIES[name].url;
  return {
    url: registry.url.replace(/\/+$/, ''),
    artefactHosts: registry.artefact_hosts ?? (isPublic ? PUBLIC_REGISTRIES[name].hosts : []),
    headers: headersOf(registry),
  };
}

function headersOf({ token, username, password, header }: Registry): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (password !== undefined) {
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  }
  if (header === undefined) return {};
  const colon = header.indexOf(':');
  return { [header.slice(0, colon).toLowerCase()]: header.slice(colon + 1).trim() };
}

/** Also in the forms in which they are sent. */
export function secretsOfRegistries({ registries }: Options['packages']): string[] {
  return Object.values(registries).flatMap(({ token, password, header, username }) => [
    ...(token === undefined ? [] : [token]),
    ...(password === undefined ? [] : [password, Buffer.from(`${username}:${password}`).toString('base64')]),
    ...(header === undefined ? [] : [header.slice(header.indexOf(':') + 1).trim()]),
  ]);
}
