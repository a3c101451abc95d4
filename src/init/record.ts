/**
 * What `init` made, in a file beside the configuration, so that `init --remove` takes away that and nothing else. It has no
 * secret. An entry is written before its act: after a crash between the two, `init` goes on, and `--remove` finds that
 * there is nothing to take away.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { writePrivately } from './private-files.ts';

const hookPlace = z.discriminatedUnion('level', [
  z.object({ level: z.literal('repository'), repository: z.string() }),
  z.object({ level: z.literal('owner'), owner: z.string() }),
  z.object({ level: z.literal('system') }),
]);

const made = z.object({
  url: z.string(),
  kind: z.string(),
  accounts: z.array(z.object({ login: z.string(), mail: z.string() })).default([]),
  members: z.array(z.object({ repository: z.string(), login: z.string() })).default([]),
  labels: z.array(z.object({ repository: z.string(), name: z.string() })).default([]),
  /** `id` null: begun, and its end was not seen */
  hooks: z.array(z.object({ place: hookPlace, url: z.string(), id: z.number().nullable() })).default([]),
  /** paths of secrets, relative to the configuration */
  secrets: z.array(z.string()).default([]),
  /** null: the configuration was left alone */
  configuration: z
    .object({ how: z.enum(['written', 'added', 'extended']), sha256: z.string() })
    .nullable()
    .default(null),
});

const recordShape = z.object({ version: z.literal(1), forges: z.record(z.string(), made) });

export type Made = z.output<typeof made>;
export type RecordedPlace = z.output<typeof hookPlace>;
type Stored = z.output<typeof recordShape>;

function recordFileOf(configFile: string): string {
  return join(dirname(configFile), `${basename(configFile, extname(configFile))}.init.json`);
}

export class InitRecord {
  readonly file: string;
  readonly #stored: Stored;

  private constructor(file: string, stored: Stored) {
    this.file = file;
    this.#stored = stored;
  }

  /** Throws an error that names the file when it is not ours. */
  static open(configFile: string): InitRecord {
    const file = recordFileOf(configFile);
    if (!existsSync(file)) return new InitRecord(file, { version: 1, forges: {} });
    try {
      return new InitRecord(file, recordShape.parse(JSON.parse(readFileSync(file, 'utf8'))));
    } catch {
      throw new Error(`${file} is not a record of \`init\`. Restore it from a backup, or move it away.`);
    }
  }

  /** null: nothing was made for this forge */
  of(forge: string): Made | null {
    return this.#stored.forges[forge] ?? null;
  }

  begin(forge: string, about: { url: string; kind: string }): Made {
    this.#stored.forges[forge] ??= made.parse(about);
    return this.#stored.forges[forge];
  }

  save(): void {
    writePrivately(this.file, `${JSON.stringify(this.#stored, null, 2)}\n`);
  }

  forget(forge: string): void {
    delete this.#stored.forges[forge];
    if (Object.keys(this.#stored.forges).length === 0) rmSync(this.file, { force: true });
    else this.save();
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
