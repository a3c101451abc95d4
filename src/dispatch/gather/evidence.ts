/** What one dispatch reads of the forge, each thing once: for its prompt, and to compare its messages with. */
import { ForgeMissing } from '../../errors.ts';
import type { CiState, Comment, Item, Review, TimelineEntry } from '../../forges/forge.ts';
import type { ReadingForge } from '../../outcome/outgoing-forge.ts';
import type { ForgeUser, RepositoryRef } from '../../vocabulary.ts';

/** More than this since an event is not looked through: 500 entries. */
const MOST_PAGES = 10;

export class Evidence {
  readonly repository: RepositoryRef;
  readonly #forge: ReadingForge;
  readonly #readings = new Map<string, Promise<unknown>>();

  constructor(forge: ReadingForge, repository: RepositoryRef) {
    this.#forge = forge;
    this.repository = repository;
  }

  /** null = the forge has no such issue or pull request */
  item(number: number): Promise<Item | null> {
    return this.#once(`item ${number}`, () => orNull(this.#forge.getItem(this.repository, number)));
  }

  comments(number: number): Promise<Comment[]> {
    return this.#once(`comments ${number}`, () => this.#forge.listComments(this.repository, number));
  }

  reviews(number: number): Promise<Review[]> {
    return this.#once(`reviews ${number}`, () => this.#forge.listReviews(this.repository, number));
  }

  /** `none` also for a commit that the forge does not have */
  ci(sha: string): Promise<CiState> {
    const none: CiState = { state: 'none', failed: [] };
    return this.#once(
      `ci ${sha}`,
      async () => (await orNull(this.#forge.ciState(this.repository, sha))) ?? none,
    );
  }

  dismissed(number: number): Promise<ForgeUser[]> {
    return this.#once(`dismissed ${number}`, () => this.#forge.dismissedReviews(this.repository, number));
  }

  /** A comment wherever it is; null = there is none with this id. */
  async comment(number: number, id: number): Promise<(Comment & { itemNumber: number }) | null> {
    const listed = (await this.comments(number)).find((comment) => comment.id === id);
    if (listed !== undefined) return { ...listed, itemNumber: number };
    // Written after the list was read, on another item, or a reply to an inline comment.
    const other = await orNull(this.#forge.getComment(this.repository, id));
    if (other !== null) return other;
    if ((await this.item(number))?.pull == null) return null;
    const reply = await orNull(this.#forge.findReviewComment(this.repository, number, id));
    return reply === null ? null : { ...reply, itemNumber: number };
  }

  /** The first entry since then that fits; `unknown` = this forge has no timeline. */
  async entry(
    number: number,
    since: string,
    fits: (entry: TimelineEntry) => boolean,
  ): Promise<TimelineEntry | null | 'unknown'> {
    for (let page = 1; page <= MOST_PAGES; page++) {
      const answer = await this.#timeline(number, since, page);
      if (answer.kind === 'not-offered') return 'unknown';
      const found = answer.entries.find(fits);
      if (found !== undefined) return found;
      if (answer.isLast) return null;
    }
    return null;
  }

  /** All since then, as far as it is looked through; `unknown` = this forge has no timeline. */
  async entries(number: number, since: string | null): Promise<TimelineEntry[] | 'unknown'> {
    const found: TimelineEntry[] = [];
    for (let page = 1; page <= MOST_PAGES; page++) {
      const answer = await this.#timeline(number, since, page);
      if (answer.kind === 'not-offered') return 'unknown';
      found.push(...answer.entries);
      if (answer.isLast) break;
    }
    return found;
  }

  #timeline(number: number, since: string | null, page: number) {
    return this.#once(`timeline ${number} ${since} ${page}`, () =>
      this.#forge.timeline(this.repository, number, { since, page }),
    );
  }

  #once<T>(what: string, read: () => Promise<T>): Promise<T> {
    const known = this.#readings.get(what) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const reading = read();
    // The error reaches whoever awaits the reading. Without this a failed reading ahead would end the process.
    reading.catch(() => undefined);
    this.#readings.set(what, reading);
    return reading;
  }
}

async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ForgeMissing) return null;
    throw error;
  }
}
