/** Files and documents of registries, for all dispatches: each file is fetched once, whoever asks. */
import type { PackageSettings } from '../config/config.ts';
import type { Cached, PackageCache } from './cache.ts';
import { isWanted } from './digests.ts';
import type { AskedArtefact, AskedMetadata, Ecosystem, Metadata } from './ecosystem.ts';
import type { Locked } from './locked.ts';
import { judgeContent } from './policy.ts';
import { PackageRefused } from './refused.ts';
import { Slots } from './slots.ts';
import { askRegistry, bodyOf, readDocument } from './upstream.ts';

export interface StoreDeps {
  cache: PackageCache;
  /** asked at each request, so that a new credential counts at once */
  settings: () => PackageSettings;
  fetch: typeof fetch;
}

export interface GivenFile extends Cached {
  /** it was here already */
  cached: boolean;
}

/** Documents are held in memory while they are rewritten. */
const DOCUMENTS_AT_ONCE = 4;
const FILES_AT_ONCE = 32;

export class PackageStore {
  readonly #deps: StoreDeps;
  readonly #fetching = new Map<string, Promise<Cached>>();
  readonly #documents = new Slots(DOCUMENTS_AT_ONCE);
  readonly #files = new Slots(FILES_AT_ONCE);

  constructor(deps: StoreDeps) {
    this.#deps = deps;
  }

  /** `work` is done while the document counts among those in memory. */
  async document<T>(ecosystem: Ecosystem, asked: AskedMetadata, work: (document: Metadata) => T): Promise<T> {
    return await this.#documents.use(async () => work(await this.#fetchDocument(ecosystem, asked)));
  }

  /** Fetched if it is not here, and judged: by what the lock files say and by what the registry announces. */
  async file(
    ecosystem: Ecosystem,
    asked: AskedArtefact,
    locked: readonly Locked[] | null,
  ): Promise<GivenFile> {
    const key = this.#keyOf(ecosystem, asked);
    const here = await this.#deps.cache.find(key);
    if (here !== null) {
      // A registry may have served something else once: then it is asked again, and judged anew.
      const wanted = locked?.flatMap(({ digests }) => digests) ?? null;
      if (wanted === null || isWanted(here.digests, wanted)) return { ...here, cached: true };
      await here.handle.close();
      await this.#deps.cache.forget(key);
    }
    const own = await this.#fetchOnce(key, ecosystem, asked);
    const fetched = own ?? (await this.#deps.cache.find(key));
    if (fetched === null) {
      throw new PackageRefused(
        507,
        'disk-full',
        'The file was fetched, but the package cache has no room for it. A person can raise packages.cache.max_bytes.',
      );
    }
    try {
      judgeContent(asked, fetched.digests, { locked, announced: [] });
    } catch (error) {
      await fetched.handle.close();
      throw error;
    }
    return { ...fetched, cached: false };
  }

  #keyOf({ name }: Ecosystem, asked: AskedArtefact): string {
    const { url } = this.#deps.settings().registries[name];
    return [name, url, asked.name, asked.version, asked.file].join('\n');
  }

  /** Open for whoever began the fetch; null for those who waited for it: they find it in the cache. */
  async #fetchOnce(key: string, ecosystem: Ecosystem, asked: AskedArtefact): Promise<Cached | null> {
    const running = this.#fetching.get(key);
    if (running !== undefined) {
      await running;
      return null;
    }
    const begun = this.#files
      .use(() => this.#fetchFile(key, ecosystem, asked))
      .finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, begun);
    return await begun;
  }

  async #fetchFile(key: string, ecosystem: Ecosystem, asked: AskedArtefact): Promise<Cached> {
    const { registries, limits } = this.#deps.settings();
    const registry = registries[ecosystem.name];
    const located = await ecosystem.locate(asked, {
      registry: registry.url,
      metadata: (of) => this.#fetchDocument(ecosystem, of),
    });
    if (located === null) throw new PackageRefused(404, 'not-found', 'The registry does not have it.');
    const answer = await askRegistry({
      url: located.url,
      registry,
      headers: { accept: '*/*', 'accept-encoding': 'identity' },
      fetch: this.#deps.fetch,
      signal: AbortSignal.timeout(limits.seconds * 1000),
    });
    const body = bounded(bodyOf(answer), limits.bytes);
    const { cache } = this.#deps;
    const stored = await cache.store(key, body, async (path) => (await ecosystem.digestsOf?.(path)) ?? []);
    try {
      judgeContent(asked, stored.digests, { locked: null, announced: located.digests });
      return stored;
    } catch (error) {
      await stored.handle.close();
      await cache.forget(key);
      throw error;
    }
  }

  async #fetchDocument(ecosystem: Ecosystem, asked: AskedMetadata): Promise<Metadata> {
    const { registries, limits } = this.#deps.settings();
    const registry = registries[ecosystem.name];
    const { url, accept } = ecosystem.metadataAt(asked, registry.url);
    const answer = await askRegistry({
      url,
      registry,
      headers: { accept },
      fetch: this.#deps.fetch,
      signal: AbortSignal.timeout(limits.seconds * 1000),
    });
    return await readDocument(answer);
  }
}

async function* bounded(body: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > most) {
      throw new PackageRefused(
        502,
        'limit',
        `The file has more than ${most} bytes and is not fetched. A person can raise packages.limits.bytes.`,
      );
    }
    yield chunk;
  }
}
