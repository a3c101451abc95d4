/**
 * One kind of registry at the package door: npm, PyPI and so on. An ecosystem reads what a client asks for, says where
 * the registry has it, and makes the tools ready. It fetches nothing, decides nothing, and knows no credential.
 */
import type { EcosystemName, Locked } from './locked.ts';

/**
 * What a client asks for. Every part was checked against the form that the registry allows: addresses of upstream are
 * made of these parts, and nothing else of the request goes out.
 */
export type Asked =
  | {
      kind: 'metadata';
      /** the package in the ecosystem's normal form; null = it belongs to no package and is answered without a name */
      name: string | null;
      /** which of the package's documents, in words of the ecosystem; '' where there is one */
      part: string;
    }
  | { kind: 'artefact'; name: string; version: string; file: string };
export type AskedMetadata = Extract<Asked, { kind: 'metadata' }>;
export type AskedArtefact = Extract<Asked, { kind: 'artefact' }>;

export interface Metadata {
  body: Buffer;
  contentType: string;
}

/** What a rewriting knows. */
export interface Rewriting {
  asked: AskedMetadata;
  /** where this ecosystem is at the door, as programs inside see it: `http://127.0.0.1:8901/<ecosystem>` */
  base: string;
  /** where the registry is, without a slash at its end */
  registry: string;
  /** what the lock files have of this package; null = every version may pass */
  locked: readonly Locked[] | null;
}

export interface Located {
  /** absolute; on the registry's host, or on one of its `artefact_hosts` */
  url: string;
  /** what the registry itself says of its content, in the form of `Locked.digests`; checked with every policy. May be [] */
  digests: readonly string[];
}

/** What an ecosystem may look up to locate an artefact: documents of the registry, fetched as for a client. */
export interface Locating {
  registry: string;
  metadata(asked: AskedMetadata): Promise<Metadata>;
}

export interface ToolSettings {
  variables: Readonly<Record<string, string>>;
  /** read-only files inside: absolute path below `/run/claude-hooks/` or `/work/` → text */
  files: Readonly<Record<string, string>>;
}

export interface Ecosystem {
  name: EcosystemName;
  /** `path`: what follows `/<ecosystem>/` of the request, as it came, without a query; null = refused */
  parse(path: string): Asked | null;
  /** answered by the door itself, without upstream; null = the registry is asked */
  own?(asked: AskedMetadata, at: Pick<Rewriting, 'base' | 'registry'>): Metadata | null;
  /** the document's absolute address at the registry, and the Accept header to ask with */
  metadataAt(asked: AskedMetadata, registry: string): { url: string; accept: string };
  /** Links lead back to the door; versions that may not pass are left out. Throws on what is no such document. */
  rewrite(document: Metadata, to: Rewriting): Metadata;
  /** Throws what `metadata` throws; null = the registry does not have it. */
  locate(asked: AskedArtefact, at: Locating): Promise<Located | null>;
  contentType: string;
  /** further digests of a file on disk, besides sha1, sha256 and sha512 (go: `go-h1:…`) */
  digestsOf?(path: string): Promise<readonly string[]>;
  /** The body of a refusal, as this ecosystem's tools print it best. */
  refusal(message: string): { body: string; contentType: string };
  /** `home`: HOME inside */
  environment(at: { base: string; home: string }): ToolSettings;
}
